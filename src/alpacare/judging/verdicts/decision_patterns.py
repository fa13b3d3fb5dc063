"""Patterns of sentences that decide, over symbols.

F and S are the first- and the second-shown answer and T a tie; X, Y and Z are short forms of them,
such as "A". All else is in lower case. Patterns are narrow, since a wrong verdict is worse than
none, and possessive (`}+`), so that long replies are cheap.
"""

import re

from alpacare.judging.verdicts.reply_sentences import QUOTATION, VERDICT

_FILLERS = (  # may precede a statement in its clause
    r"(?:(?:(?:i|we)(?:'d| would)? "
    r"(?:(?:think|believe|feel|say|conclude)(?: that)?|(?:find|judge) that)|"
    r"it (?:is clear|seems|appears)(?: to me)?(?: that)?|"
    r"(?:in|from) my (?:opinion|view|judge?ment|assessment|perspective)|"
    r"in (?:conclusion|summary|short|sum|general|the end)|to (?:conclude|summari[sz]e|sum up)|"
    r"as a result|for (?:these|this|that) reasons?|on balance|all things considered|"
    r"taken together|overall|therefore|thus|hence|so|then|finally|ultimately|consequently|"
    r"clearly|however|still|again|yes|well|sure|okay|ok|and|but|yet)[,:]? ){0,6}+"
)
# "tone: F is better" is about tone only, "conclusion: F is better" decides
CLAUSE_START = re.compile(
    r"(?:\A|[,;(] ?|[-–—] |\b(?=(?:so|therefore|thus|hence|and|but) )|"  # noqa: RUF001
    r"\b(?:verdict|conclusion|answer|evaluation|judge?ment|assessment|explanation|summary|"
    rf"decision|reasoning|comparison|overall|result|analysis): ?){_FILLERS}"
)
_IS = r"(?:'s|is|was|would be|seems to be|appears to be|seems|appears|stands out as|remains)"
_MUCH = (
    r"(?:(?:much|clearly|significantly|slightly|far|by far|a bit|a little|somewhat|marginally|"
    r"overall|definitely|still|considerably|generally|objectively|simply|just|obviously|"
    r"probably|also|ultimately|substantially|notably|only|essentially|basically|really|"
    r"effectively|about|roughly|pretty much|more or less|strongly|would|personally|therefore|"
    r"thus) ){0,6}+"
)
_NOUN = r"(?:choice|response|answer|output|option|one|candidate|model|assistant|completion)"
_ONE = rf"(?: {_NOUN})?"
_BETTER = r"(?:better|superior|preferable|preferred|stronger|winner|winning)"
_BEST = rf"(?:best|strongest|{_BETTER})"
_WORSE = r"(?:worse|worst|inferior|weaker|weakest)"
_NAME = rf"(?:[FSXY](?:'s{_ONE})?)"
_PAIR = (
    rf"(?:{_NAME} and {_NAME}|(?:the )?(?:two|both|pair|other)(?: of them)?(?: {_NOUN}s?)?|them)"
)
_THAN = rf"(?: (?:than|to|over|of|compared (?:to|with)|between) (?:{_PAIR}|{_NAME}))?"
_FOR = (
    r"(?: (?:to|for) (?:the|this) (?:given |user's )?"
    r"(?:instruction|question|query|prompt|task|patient's question)(?: and (?:the )?input)?)?"
)
_OVER = rf"(?: (?:over|rather than|instead of|to|above|higher than) {_NAME})?"
_AS_BEST = rf"(?: as (?:the |my )?(?:overall )?(?:{_BEST}|final){_ONE}){{0,1}}"
_OF_TWO = r"(?: here| overall| between the two| of the two| in this case)?"
_CHOOSE = (
    r"(?:prefer|choose|chose|pick|picked|select|selected|favou?r|recommend|vote for|go with|"
    r"opt for|lean toward|choosing|picking|selecting|going with|rank|side with)"
)
_TO_ASKER = r"(?: to the (?:person|user|patient)(?: who asked)?)"
_MORE = (
    r"(?:safer|clearer|better|stronger|more (?:complete|accurate|helpful|careful|precise|relevant|"
    r"useful|thorough|comprehensive|informative|detailed))"
)
_GOOD = (
    r"(?:good|bad|poor|strong|weak|valid|helpful|acceptable|great|appropriate|effective|"
    r"satisfactory|suitable|correct|wrong|accurate|useful|informative|well)"
)
_BOTH = (
    rf"(?:(?:both )?{_NAME} and {_NAME}|they|(?:both|the two|these two|the|both the)"
    rf"(?: of (?:them|the))?(?: {_NOUN}s)?)"
)
# may follow: the end, a reason, another clause; never "in terms of", "for children", "if"
_TAIL = (
    r"(?=\s*(?:\Z|[.!;:)\]]|(?:[,(–—]|-(?!\w))"  # noqa: RUF001
    r"(?!\s*(?:if|unless|except|only|at|on|or|as an?|when|not|"
    rf"in(?! my)|for(?! (?:it|the following|these|this|several)))\b)|{QUOTATION}|"
    r"(?:because|since|as (?:it|its|they|this|[FSXY])|due to|given|based on|overall|and|but|"
    r"while|whereas|so(?! far)|by far|by a \w+ margin|here|although|though|"
    r"for (?:the following|these|this|several|many|two|three|its)|"
    r"in (?:my|this case|this instance|general|all respects|every|comparison))\b))"
)
# no label may follow a bare one: "Output (a), Output (b), Tie" lists the choices
_STOP = (
    r"(?=\s*(?:\Z|(?:[.!;,)–—]|-(?!\w))(?!\s*(?:(?:or|and) )?[FSTXYZ])|\((?!\s*[FSTXYZ])|"  # noqa: RUF001
    rf"{QUOTATION}|(?:because|since|as it|due to|over|by far|given)\b))"
)

PAIR = rf"{_NAME}(?:,? and | or |/| nor ){_NAME}"

STATEMENTS = tuple(
    re.compile(statement + _TAIL)
    for statement in (
        rf"(?P<win>[FSXY])(?:'s{_ONE})? {_IS} {_MUCH}(?:the |my |a )?{_MUCH}{_BEST}{_ONE}{_FOR}"
        rf"{_THAN}",
        rf"(?P<win>[FSXY]) (?:provides|gives|offers) (?:the|a) {_MUCH}{_BEST} {_NOUN}{_FOR}"
        rf"{_THAN}",
        rf"(?P<win>[FSXY]) {_IS} {_MUCH}my (?:final )?(?:choice|pick|preference|verdict)",
        rf"(?P<win>[FSXY]) {_MUCH}(?:wins|(?:outperforms|beats|surpasses) {_NAME})",
        rf"(?P<lose>[FSXY])(?:'s{_ONE})? {_IS} {_MUCH}(?:the )?{_MUCH}{_WORSE}{_ONE}{_THAN}",
        rf"(?:i|we)(?:'d|'ll|'m| am| will| have| must)? {_MUCH}(?:have to |like to )?"
        rf"{_CHOOSE} (?:the )?(?P<win>[FSXY])(?!,? (?:and|or) [FSXY])(?:'s{_ONE})?{_OVER}"
        rf"{_AS_BEST}",
        r"(?:i|we)(?:'d| would) (?:rather )?give (?P<win>[FS])"
        rf"(?:{_TO_ASKER}|(?=\.?\Z|,? because))",
        rf"(?P<win>[FS]) is the {_NOUN} (?:that )?i(?:'d| would) (?:rather )?give{_TO_ASKER}?",
        rf"(?:i|we)(?:'d|'ll| will)? {_MUCH}(?:judge|rate|consider|rank|deem|find) (?P<win>[FSXY])"
        rf"(?:'s{_ONE})? (?:as |to be )?{_MUCH}(?:the )?{_MUCH}{_BEST}{_ONE}{_FOR}{_THAN}",
        rf"(?:the|my) {VERDICT} (?:is|would be)(?: that)?:? (?P<win>[FS])",
        rf"(?:the |my )?{_MUCH}{_BETTER}{_ONE}{_FOR}{_OF_TWO} (?:is|would be) {_MUCH}"
        r"(?P<win>[FSXY])",
        # "the best answer is A" may be about a quiz
        rf"(?:the |my )?{_MUCH}(?:best|correct){_ONE}{_FOR}{_OF_TWO} (?:is|would be) {_MUCH}"
        r"(?P<win>[FS])",
        r"(?:it|this|that|the (?:result|outcome|verdict|comparison)|they)"
        rf"(?:'s| is| would be| ends in| results in|'d be) {_MUCH}(?:a )?{_MUCH}(?P<tie>[TZ])"
        rf"(?: between {_PAIR})?",
        rf"(?:i|we)(?:'d|'ll| will)? {_MUCH}(?:have to )?"
        rf"(?:call|declare|consider|judge|rate|{_CHOOSE})(?: (?:it|this|that))?(?: as)?(?: a)? "
        r"(?P<tie>[TZ])",
        rf"(?:a )?(?P<tie>[TZ]) between {_PAIR}",
        rf"(?P<tie>{_BOTH}) (?:are|were|seem|appear)(?: to be)? {_MUCH}"
        rf"(?:equally {_GOOD}(?:,? (?:and )?{_GOOD}){{0,4}}+|equal|tied|equivalent|"
        r"of (?:equal|the same|comparable) quality)",
        rf"(?P<tie>neither)(?: of (?:them|the two)| {_NAME} nor {_NAME})?{_ONE} "
        rf"(?:is|was|stands out as) {_MUCH}(?:better|superior|preferable){_THAN}",
    )
)
CONCLUSION = re.compile(
    r"(?:\A|[,;] |\b(?:but|and|yet) )(?:so|therefore|thus|hence|overall|ultimately|in the end),? "
    r"(?P<win>[FST])(?=[.!]*\Z)"
)
LABEL_WITH_REASON = re.compile(
    rf"\A{_FILLERS}(?P<win>[FST])(?:,? (?:because|since|due to|as it)\b| over [FS]\b)"
)
LABELLED_VERDICT = re.compile(
    rf"\A{_FILLERS}(?:(?:here(?:'s| is) )?(?:the |my |our )?{VERDICT}(?: here)?|"
    rf"(?:reply|response|better|(?:i|we)(?: am|'m)? {_CHOOSE}(?: the {_MORE}{_ONE}{_OF_TWO})?)"
    r"(?=:))\s*"
    r"(?:(?::|=+>?|-+>?|–|—|→)|(?P<is>(?:is|would be|goes to)\b:?))\s*"  # noqa: RUF001
    rf"(?:that )?(?:it is |it's )?(?:a |the )?(?P<win>[FSTXYZ]){_STOP}"
)
# a label that opens the only sentence: "F - more complete", "F, by a narrow margin"
OPENING_LABEL = re.compile(
    rf"\A{_FILLERS}(?P<win>[FS])(?:,? by an? \w+ margin|,? \(?slightly\)?|,? i (?:think|believe)|"
    rf" [–—-] (?:it is |it's )?(?:much |slightly |clearly )?{_MORE}(?: and {_MORE})?)[.!)]*\Z"  # noqa: RUF001
)
BARE_LABEL = re.compile(rf"\A{_FILLERS}(?:a )?(?P<win>[FSTXYZ])[\s.!)]*\Z")
# a bracketed label after the words that it sums up, "A is better: [[A]]", or before them
_IS_BEST = rf"[XY] (?:{_IS} {_MUCH}(?:the )?{_MUCH}{_BEST}{_ONE}{_THAN}|{_MUCH}wins)"
BRACKETED_LAST = re.compile(
    rf"{CLAUSE_START.pattern}(?:{_IS_BEST}|after \w+ing[^,;:.]{{0,60}}|{VERDICT}(?: is)?:? [XY])"
    r"[,:]? (?P<win>[FST])[.!)]*\Z"
)
BRACKETED_FIRST = re.compile(
    r"\A(?P<win>F(?=.{1,3}X)|S(?=.{1,3}Y)|T(?=.{1,3}Z))[ :(,–—-]{1,3}"  # noqa: RUF001
    rf"(?:{_IS_BEST}|[XYZ])[.!)]*\Z"
)
