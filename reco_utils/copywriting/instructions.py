"""What sentences look like that talk to a writer or a machine instead of about a product. Patterns only, one a line."""

_WRITE = (
    r"(?:write|say|state|claim|mention|tell|add|append|insert|include|output|print|repeat|reply|respond|answer|return|"
    r"reveal|translate|end|begin|start|describe|emphasi[sz]e|advertise|promise|call|pretend|assure|stress|finish|close)"
)
_WRITER = r"(?:ais?|llms?|chat-?bots?|bots?|language models?|assistants?|gpt\S*|claude|copywriters?|writers?)"
_MUST = r"(?:must|should|shall|has to|have to|need to|needs to)"

INSTRUCTIONS = (
    r"\b(?:ignore|disregard|forget|override|bypass|skip)\b.{0,40}\b(?:instructions?|prompts?|tasks?|rules?|facts?|ledger)\b",
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,25}\b(?:above|previous|prior|earlier|guidelines?|limits?)\b",
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,25}\b(?:check\w*|everything|all of|what you)\b",
    r"\b(?:new|real|actual|updated|following|hidden|secret|special) (?:instructions?|tasks?|prompts?|orders?)\b",
    r"\b(?:your|my|the|these|those) (?:system prompt|prompt|api key|password|instructions|guidelines)\b",
    r"\binstructions?(?: to (?:the |you)?\w*)?\s*:",
    r"\b(?:system|developer|admin|hidden|editor'?s?)\s*(?:prompt|message|note|override|instruction|mode)s?\b",
    r"(?:^|[\s\[<{|#*])(?:system|assistant|user|human|developer|ai|todo|note to \w+)\s*[\]>}|*]*\s*:",
    r"\b(?:you are|act|behave|pretend|role-?play) (?:now|as|to be) ",
    rf"\byou are (?:an? |the )?(?:helpful |expert |friendly )*{_WRITER}\b",
    rf"\b{_WRITER}\b.{{0,30}}\b(?:{_MUST}|please|reading this|is to|are to)\b",
    rf"\b(?:as an?|dear|hey|attention|hello|for|note to) (?:the |any |all )?{_WRITER}\b",
    rf"\b{_WRITE}\b.{{0,30}}\bthat (?:it|this|the|we|our|all|every|you|they|customers?)\b",
    rf"\b{_WRITE}\b.{{0,30}}\bthe (?:words?|phrase|sentence|text|following|prompt|copy|reader|customer|link|url|code)\b",  # noqa: E501
    rf"\b{_WRITE}\b.{{0,30}}\b(?:this (?:text|phrase|link|url)|your (?:prompt|system|copy|text|answer|reply|output))\b",
    rf"\b{_WRITE}\b.{{0,60}}\bin (?:the|your|all|every|any) (?:copy|text|description|subject|answer|reply|output)\b",
    rf"\b{_WRITE} (?:that|customers?|readers?|everyone|verbatim|exactly|only|with)\b.{{0,20}}[\"'\u201c\u2018]",
    rf"\b{_WRITE} (?:customers?|readers?|everyone|exactly|only)\b",
    rf"\b{_WRITE}:? ?[\"\u201c]",
    rf"(?:^|[.!?:] )(?:please )?always {_WRITE}\b",
    rf"(?:^|[.!?:] )(?:please )?{_WRITE} (?:it|this product|this item) (?:as|is|an?|the|with)\b",
    r"\b(?:do not|don't|never|must not) (?:mention|say|tell|reveal|write|include|state|disclose|follow|refuse|describe)\b",  # noqa: E501
    rf"\b(?:you|the (?:copy|text|description|subject(?: line)?|e-?mail|output|answer)) {_MUST} "
    rf"(?:always |also |now |not |only )?(?:{_WRITE}|contain|use|link|obey|comply|follow|be written)\b",
    r"\[/?inst\]|<\|?/?(?:im_start|im_end|system|user|assistant|data|facts?|catalog\w*|untrusted)\b",
    r"\{\{.*?\}\}|```",
    r"\b(?:end|begin|close|start) of (?:the )?(?:data|facts|catalog\w*|document|input|context|prompt|ledger)\b",
    r"javascript:|\bbase64\b|\bprompt injection\b|\bjailbreak",
)

LEAKS = (  # what copy never says, but a model that talks about its task does, and one that obeyed a hidden instruction
    r"https?:|www\.|\b\S+@\S+\.\w+|\b[\w-]+\.(?:com|net|org|example|shop|info|ru|cn|io|de|co)\b",
    r"\bas an? (?:ai|llm|language model|assistant|chatbot)\b|\blanguage model\b|\bsystem prompt\b|\bapi key\b",
    r"\b(?:here is|here's|here are|below is|sure,|certainly[,!]|of course[,!])\b.{0,40}\b(?:description|copy|text|subject|draft|version)\b",  # noqa: E501
    r"\bI(?:'m| am)? (?:sorry|cannot|can't|unable|won't|not able)\b",
    r"\b(?:ignore|disregard|override) (?:all|any|the|previous|prior|your)\b.{0,30}\b(?:instructions?|rules|facts|prompts?)\b",  # noqa: E501
    r"\[(?:insert|your|brand|product|company)\b[^\]]*\]|```|<[|/]?\w+[^<>]{0,40}>?|\[/?inst\]|\{\{",
    r"\b(?:fact ledger|the ledger|the facts provided|the brief|word limit|prompt)\b",
    r"(?:^|\n)\s*(?:system|assistant|user|human)\s*:",
    r"\b(?:pwned|hacked|jailbr\w+)\b",
)
