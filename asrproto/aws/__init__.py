"""Amazon Web Services: the event stream that frames, the signature that authorises, and the conversations on them."""
