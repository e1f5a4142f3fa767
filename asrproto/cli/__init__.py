"""The command line and the demo: the only place in the package that opens sockets."""
