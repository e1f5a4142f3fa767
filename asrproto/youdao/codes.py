"""Youdao's error codes and languages.

Both tables are those of the vendor's page on short recognition (its Chinese texts word for word, the English ones by
asrproto). The codes are shared by all of Youdao's services; those that speak of images or dictionaries are kept, since
the service may send them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from asrproto.errors import ServiceError

__all__ = ["ERRORS", "LANGUAGES", "ErrorCode", "Language", "service_error"]


class ErrorCode(msgspec.Struct, frozen=True):
    """What an error code means.

    Attributes
    ----------
    code, chinese, english : str
    retryable : bool
        Whether the same request may succeed later: true of rate limits and of failures inside the service.
    """

    code: str
    chinese: str
    english: str
    retryable: bool


class Language(msgspec.Struct, frozen=True):
    """A language that can be recognised; `code` is what ``langType`` says."""

    code: str
    english: str
    chinese: str


# codes of one meaning, Chinese, English, whether it is worth trying again
_MEANINGS = (
    ("101", "缺少必填的参数,首先确保必填参数齐全,然后,确认参数书写是否正确。",
     "a required parameter is missing or misspelt", False),
    ("102 3005 4005 5003 11005", "不支持的语言类型", "unsupported language", False),
    ("103", "翻译文本过长", "the text to translate is too long", False),
    ("104", "不支持的API类型", "unsupported kind of API", False),
    ("105", "不支持的签名类型", "unsupported signType", False),
    ("106", "不支持的响应类型", "unsupported kind of response", False),
    ("107", "不支持的传输加密类型", "unsupported encryption of the transport", False),
    ("108", "应用ID无效,注册账号,登录后台创建应用并完成绑定,可获得应用ID和应用密钥等信息",
     "invalid appKey: register, create an application and bind it to a service to get its key and secret", False),
    ("109", "batchLog格式不正确", "malformed batchLog", False),
    ("110", "无相关服务的有效应用,应用没有绑定服务,可以新建服务。"
     "注:某些服务的结果发音需要tts服务,需要在控制台创建语音合成实例绑定应用后方能使用。",
     "the application is not bound to this service; create the service and bind it in the console", False),
    ("111", "开发者账号无效", "invalid developer account", False),
    ("112", "请求服务无效", "invalid service", False),
    ("113", "q不能为空", "q must not be empty", False),
    ("114", "不支持的图片传输方式", "unsupported way of sending an image", False),
    ("201", "解密失败,可能为DES,BASE64,URLDecode的错误",
     "decoding failed: perhaps DES, Base64 or URL decoding", False),
    ("202", "签名检验失败,如果确认应用ID和应用密钥的正确性,仍返回202,一般是编码问题。"
     "请确保翻译文本 q 为UTF-8编码.",
     "the signature does not match: if appKey and secret are right, the encoding of q usually is not", False),
    ("203", "访问IP地址不在可访问IP列表", "this IP address is not on the list of those allowed", False),
    ("205", "请求的接口与应用的平台类型不一致,确保接入方式(Android SDK、IOS SDK、API)"
     "与创建的应用平台类型一致。如有疑问请参考入门指南",
     "the application was created for another platform (Android SDK, iOS SDK, API)", False),
    ("206", "因为时间戳无效导致签名校验失败", "the signature is refused because curtime is not valid", False),
    ("207", "重放请求", "replayed request: the salt was used before", False),
    ("301", "辞典查询失败", "dictionary lookup failed", False),
    ("302", "翻译查询失败", "translation failed", False),
    ("303", "服务端的其它异常", "other failure inside the service", True),
    ("304", "会话闲置太久超时", "the session timed out because it was idle for too long", True),
    ("401", "账户已经欠费停", "the account is suspended for want of payment", False),
    ("402", "offlinesdk不可用", "the offline SDK is not available", False),
    ("411 2411 3411 4411 11411", "访问频率受限,请稍后访问", "rate limit reached, try again later", True),
    ("412", "长请求过于频繁,请稍后访问", "too many long requests, try again later", True),
    ("1001 5001 10001", "无效的OCR类型", "invalid kind of OCR", False),
    ("1002 5002 10002", "不支持的OCR image类型", "unsupported kind of OCR image", False),
    ("1003", "不支持的OCR Language类型", "unsupported OCR language", False),
    ("1004 5004 10004", "识别图片过大", "the image is too large", False),
    ("1201 10201 12002", "图片base64解密失败", "Base64 decoding of the image failed", False),
    ("1301 5301 10301", "OCR段落识别失败", "OCR of a paragraph failed", False),
    ("1411 5411 10411", "访问频率受限", "rate limit reached", True),
    ("1412", "超过最大识别字节数", "more bytes than can be recognised", False),
    ("2003", "不支持的语言识别Language类型", "unsupported language for recognition", False),
    ("2004", "合成字符过长", "the text to synthesise is too long", False),
    ("2005 3009", "不支持的音频文件类型", "unsupported kind of audio file", False),
    ("2006 3010", "不支持的发音类型", "unsupported voice", False),
    ("2201 3201 4201 11201", "解密失败", "decoding failed", False),
    ("2301 3303 4303 11303", "服务的异常", "failure inside the service", True),
    ("2412 3412", "超过最大请求字符数", "more characters than a request may have", False),
    ("3001 9001", "不支持的语音格式", "unsupported audio format", False),
    ("3002 9002", "不支持的语音采样率", "unsupported sampling rate", False),
    ("3003 9003", "不支持的语音声道", "unsupported number of channels", False),
    ("3004 4004 9004 11004", "不支持的语音上传类型", "unsupported way of uploading audio", False),
    ("3006 17004", "不支持的识别类型", "unsupported kind of recognition", False),
    ("3007 4006 11006", "识别音频文件过大", "the audio file is too large", False),
    ("3008 4007", "识别音频时长过长", "the audio is too long", False),
    ("3301 4301 11301", "语音识别失败", "speech recognition failed", False),
    ("3302", "语音翻译失败", "speech translation failed", False),
    ("4001 11001", "不支持的语音识别格式", "unsupported audio format for recognition", False),
    ("4002 11002", "不支持的语音识别采样率", "unsupported sampling rate for recognition", False),
    ("4003 11003", "不支持的语音识别声道", "unsupported number of channels for recognition", False),
    ("4304", "识别结果为空", "nothing was recognised", False),
    ("4412 11412", "超过最大请求时长", "more audio than a request may have", False),
    ("4416", "包含不合时宜词汇", "inappropriate words", False),
    ("4414", "音频格式转换失败", "conversion of the audio format failed", False),
    ("5005", "不支持的图片类型", "unsupported kind of image", False),
    ("5006 13004", "文件为空", "the file is empty", False),
    ("5201", "解密错误,图片base64解密失败", "decoding error: Base64 decoding of the image failed", False),
    ("5412 10412", "超过最大识别流量", "more traffic than recognition allows", False),
    ("9005", "不支持的语音识别 Language类型", "unsupported language for speech recognition", False),
    ("9301", "ASR识别失败", "speech recognition failed", False),
    ("9303", "服务器内部错误", "internal error of the server", True),
    ("9411", "访问频率受限(超过最大调用次数)", "rate limit reached (too many calls)", True),
    ("9412", "超过最大处理语音长度", "more audio than can be processed", False),
    ("11007", "识别音频时长过长,最大支持30s", "the audio is too long, at most 30 s are supported", False),
    ("12001", "图片尺寸过大", "the image measures too much", False),
    ("12003", "引擎服务器返回错误", "the recognition engine returned an error", True),
    ("12004", "图片为空", "the image is empty", False),
    ("12005", "不支持的识别图片类型", "unsupported kind of image for recognition", False),
    ("12006", "图片无匹配结果", "nothing matches the image", False),
    ("13001", "不支持的角度类型", "unsupported kind of angle", False),
    ("13002", "不支持的文件类型", "unsupported kind of file", False),
    ("13003", "表格识别图片过大", "the image of the table is too large", False),
    ("13301", "表格识别失败", "recognition of the table failed", False),
    ("15001 17001", "需要图片", "an image is required", False),
    ("15002 17002", "图片过大(1M)", "the image is too large (1 MB)", False),
    ("15003 17005", "服务调用失败", "calling the service failed", True),
    ("17003", "识别类型未找到", "the kind of recognition was not found", False),
)

# langType, English, Chinese. The page calls both es-MEX and es "Spanish (Mexico)"; the Chinese tells them apart.
_LANGUAGES = (
    ("ar", "Arabic", "阿拉伯语"),
    ("in", "Bahasa (Indonesia)", "巴哈萨语(印度尼西亚)"),
    ("yue", "Cantonese", "粤语"),
    ("ca", "Catalan", "加泰隆语"),
    ("cs", "Czech", "捷克语"),
    ("da", "Danish", "丹麦语"),
    ("nl", "Dutch", "荷兰语"),
    ("nl-BEL", "Dutch (Belgium)", "荷兰语(比利时)"),
    ("en-AUS", "English (Australia)", "英语(澳大利亚)"),
    ("en-GBR", "English (GB)", "英语(英国)"),
    ("en-IND", "English (India)", "英语(印度)"),
    ("en-IRL", "English (Ireland)", "英语(爱尔兰)"),
    ("en-SCT", "English (Scotland)", "英语(苏格兰)"),
    ("en-ZAF", "English (South Africa)", "英语(南非)"),
    ("en", "English (US)", "英语(美国)"),
    ("fi", "Finnish", "芬兰语"),
    ("fr", "French", "法语"),
    ("fr-CAN", "French (Canada)", "法语(加拿大)"),
    ("de", "German", "德语"),
    ("el", "Greek", "希腊语"),
    ("he", "Hebrew", "希伯来语"),
    ("hi", "Hindi", "印地语"),
    ("hu", "Hungarian", "匈牙利语"),
    ("it", "Italian", "意大利语"),
    ("ja", "Japanese", "日语"),
    ("ko", "Korean", "韩语"),
    ("zh-CHS", "Mandarin (China)", "普通话(中国)"),
    ("zh-TWN", "Mandarin (Taiwan)", "普通话(中国台湾)"),
    ("no", "Norwegian", "挪威语"),
    ("pl", "Polish", "波兰语"),
    ("pt-BRA", "Portuguese (Brazil)", "葡萄牙语(巴西)"),
    ("pt", "Portuguese (Portugal)", "葡萄牙语(葡萄牙)"),
    ("ro", "Romanian", "罗马尼亚语"),
    ("ru", "Russian", "俄语"),
    ("sk", "Slovak", "斯洛伐克语"),
    ("es-ESP", "Spanish (Castilian)", "西班牙语(卡斯蒂利亚)"),
    ("es-COL", "Spanish (Columbia)", "西班牙语(哥伦比亚)"),
    ("es-MEX", "Spanish (Mexico)", "西班牙语(墨西哥)"),
    ("es", "Spanish (Mexico)", "西班牙语"),
    ("sv", "Swedish", "瑞典语"),
    ("th", "Thai", "泰语"),
    ("tr", "Turkish", "土耳其语"),
)

ERRORS: Mapping[str, ErrorCode] = MappingProxyType({
    code: ErrorCode(code, chinese, english, retryable)
    for codes, chinese, english, retryable in _MEANINGS for code in codes.split()
})
"""Every error code, as text, with its meaning."""

LANGUAGES: Mapping[str, Language] = MappingProxyType({row[0]: Language(*row) for row in _LANGUAGES})
"""Every language, by its code."""


def service_error(code: str, words: str = "", *, request_id: str | None = None) -> ServiceError:
    """The error for `code`: the vendor's text in both languages, or the service's own `words` for a code not known."""
    known = ERRORS.get(code)
    message = f"{known.english} ({known.chinese})" if known else words
    if known and words and words not in (known.chinese, known.english):
        message += f": {words}"
    return ServiceError(message, code=code, retryable=bool(known and known.retryable), request_id=request_id)
