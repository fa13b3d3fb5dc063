"""The label that a reply decides for: the only one, or the one that it gives as its verdict.

A label such as "[[A]]" looks like nothing else: where one kind of them occurs in a reply, that is
the verdict. Among several kinds, and for labels that name the answers too, such as "Output (a)", a
sentence decides that is understood whole. Text is in symbols: F, S and T for the labels of the
first answer, the second and a tie, all else in lower case (see `label_pattern`).
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from alpacare.judging.verdicts.label_pattern import LabelPattern
from alpacare.judging.verdicts.reply_text import (
    compact,
    hide_quotations,
    normalise,
    split_sentences,
)

Decision = tuple[int, str]  # its weight and its symbol
_MENTIONED, _STATED, _NAMED = range(3)  # the weights of a label
_LONGEST = 400  # letters of a sentence that is read as a statement
_TASK = r"(?: (?:for|to) the (?:given )?(?:instruction|question|person)(?: who asked| and input)?)?"
_VERDICT = (  # what judges call their verdict
    r"(?:(?:final|overall|better|best|preferred|winning) )*(?:verdict|answer|choice|winner|pick|"
    r"(?:better|best|preferred) (?:one|output)|output(?=:)|decision|judge?ment|conclusion|result|"
    r"preference|selection|vote|reply|response|urteil|ergebnis|conclusión|veredicto|вердикт|"
    rf"итог|\w*(?:答案|结论|結論|结果|結果|判定)){_TASK}"
)
_LEAD = (  # may precede what decides
    rf"(?:[^.;:]*, (?:but|so|therefore|thus|hence),? |(?:(?:(?:the |my )?{_VERDICT}:?|and|so|hence|"
    r"therefore|thus|however|but|overall|finally|ultimately|yes|no|sure|okay|personally|"
    r"(?:based on|after|in conclusion|while|although|though|rather than)[^,;:.]*(?=[,:])|"
    r"(?:i|we) (?:think|believe|conclude|find|would say|have determined)(?: that)?)[,:]? ?)*)"
)
_REASON = (  # in which nothing is granted or limited
    r"(?:,? (?:because|since|as (?:it|they)|due to)\b"
    r"(?:(?!\b(?:but(?! also)|however|yet|except|unless|if)\b).)*)?[\s.!)]*"
)
_BLAMES = (  # in a reason, it may be why the label is not the verdict
    r"not|n't|never|no\b|dang|toxic|unsafe|harm|fatal|wors|wrong|err|mistake|reject|fail|must"
)
_ALONE = re.compile(r"([FST])[\s.!)]*")
_NAMES = re.compile(
    rf"{_LEAD}(?:here(?:'s| is) )?(?:the |my |our )?{_VERDICT}(?: here)?"
    r"(?: is\b)?[\s:=>–—-]+(?:it is |it's )?(?:for |a )?([FST])[\s.!)]*"  # noqa: RUF001
)
_STATEMENTS = [
    re.compile(f"{_LEAD}{statement}")
    for statement in (
        rf"([FST])(?:,? (?:because|since) it(?:(?!{_BLAMES}|[FST,;]).)*)?[\s.!)]*",
        r"([FS]) (?:wins|(?:is|provides|gives|offers) (?:(?:clearly|slightly|much|only|the|a) )*"
        rf"(?:better|best|preferred|superior|stronger|winner)(?: {_VERDICT}| one| output)?)"
        rf"(?: (?:than|over|to) [FS])?(?: overall| here)?{_REASON}",
        r"[FS] is (?:\w+ )?worse than ([FS])[\s.!)]*",
        r"(?:i|we)(?: would|'d)? (?:prefer|choose|pick|select|vote for|go with|give):? ([FST])"
        rf"{_TASK}(?: (?:over|to|rather than) [FS]| as the better \w+)?{_REASON}",
        r"(?:it|this|i)(?:'s| is| would call (?:it|this)) a (T)(?: between [FS] and [FS])?[\s.!)]*",
    )
]
_HEADING = re.compile(r"([FS])(?: ?[:(–-]|\W*\Z)")  # noqa: RUF001
_LIMITS = re.compile(  # the sentence before it
    r"\W*(?:but|however|yet|unfortunately|still|alas|only)\b|.*\b(?:at least|that is)[.!]*\Z"
)
_RETRACTS = re.compile(  # the text before it
    r"\b(?:on (?:second|further|closer|more) \w+|on reflection|my mistake|oops|i was wrong|i meant|"
    r"misspoke|scratch that|chang\w+ my \w+|stand corrected|take (?:that|it) back|apolog(?:y|ies)|"
    r"let me (?:correct|re\w+))\b|(?:^|[.,;:!?–—-] ?|\b(?:but|hmm|oh|no|yet|and),? )wait\b(?! for)|"  # noqa: RUF001
    r"(?:^|[.,;:!?(] ?)(?:correct|edit|updat|revis)\w*(?: \w+)?:|^(?:\w+,? )?no[,:;.]|^actually\b"
)
_TURNS = re.compile(  # to the other label, where the sentence is not understood
    r"\A\W*(?:(?:nevertheless|nonetheless|in the end|on (?:the )?\w+|but|yet|however|(?:al)?though|"
    r"still|ultimately|overall|and|so|even so|[^,FST]{0,40}\b(?:said|all|everything|end)\b"
    rf"[^,FST]{{0,40}},)\W+)++(?!.*(?:{_BLAMES}|\black|\bless\b))|(?<!not )(?<!n't )(?<!no )\b(?:"
    r"though|not only|better|best|superior|wins?|winner|takes (?:it|the)|leans?|prefer(?:red)?|"
    r"favou?r|choose|recommend\w*|nonetheless|nevertheless|pick|vote|go with|goes to|choice)\b"
)
_FAULT = r"(?:in(?:correct|accurate|ferior)|wrong|wors[et]|rejected|unsafe|danger|harm|toxic|err)"
_DENIED = re.compile(
    r"(?:\b(?:not|never|neither|nor|or|over|than|rule out|if only [^.]{0,80}|cannot(?: \w+)?|"
    r"might \w+|could \w+(?: \w+)?|would have \w+|wrong to \w+|me to \w+|against|reject\w*|"
    r"was \w+ to \w+)|n't(?: \w+)?)[\s\"'(]{0,3}[FST]|[FST][\s\"')]{0,3}(?:"
    r"(?:,? but (?:for|only|not)|if|unless|when|were it|had|can be|would|could|-? ?worthy|fails?|"
    r"must|loses|(?:is|was|seems) (?:not|too|tempting|out))\b|(?:,? but (?:that|this|it) )?"
    rf"(?:is|was|seems|has|gives|contains|makes)(?: (?!less|no)\w+){{0,3}} {_FAULT})"
)
_OWN_QUOTES = re.compile(r"(?:(?:(?<=[\w:,] )|(?<=:\n))[\"']|`)([FST])[\"'`]")  # I choose "A"
_CLOSING = re.compile(rf"\W*(?:the |my )?{_VERDICT}(?: is)?\W*:", re.IGNORECASE)


def decide(reply: str, labels: LabelPattern, shown_texts: Sequence[str], *, cut: bool) -> str:
    """Give the symbol of the label that a reply decides for; "" if there is none, or in doubt."""
    text = normalise(reply).strip()
    if whole := labels.whole(text):
        return whole
    line = _OWN_QUOTES.sub(r"\1", labels.symbols(text))
    known = "\n".join(_known(shown, labels) for shown in shown_texts)
    # else a label in running text may be the answer's, or of a thought that is cut short
    anywhere = labels.marks and not cut and not _kinds(known)
    if not anywhere or _kinds(line) > 1:
        line = hide_quotations(line)
    least = _MENTIONED if anywhere and _kinds(line) == 1 else _STATED
    found = [each for each in _decisions(split_sentences(line), known, cut=cut) if each[0] >= least]
    if not found and not cut:  # a last line such as "Verdict: A", without noun or brackets
        leads = [(each, _CLOSING.match(each)) for each in text.split("\n")]
        said = [labels.whole(each[lead.end() :]) if lead else "" for each, lead in leads]
        return said[-1] if len({*said} - {""}) == 1 else ""  # unless another line says otherwise
    weight, symbol = found[-1] if found else (0, "")
    return symbol if all(each[0] < weight for each in found if each[1] != symbol) else ""


def _kinds(line: str) -> int:
    return len({*re.findall("[FST]", line)})


@lru_cache(maxsize=2**14)  # the same answers are shown in both orders, and to several judges
def _known(text: str, labels: LabelPattern) -> str:
    return compact(labels.symbols(normalise(text)))


def _decisions(sentences: Sequence[str], known: str, *, cut: bool) -> list[Decision]:
    """Weigh the sentences; after a retraction only a verdict named as such counts.

    A turn to the other label leaves a doubt, which a later verdict settles.
    """
    found, least = list[Decision](), _MENTIONED
    for at, sentence in enumerate(sentences):
        retracts = _RETRACTS.search(sentence)
        if retracts and (found or re.search("[FST]", sentence[: retracts.start()])):
            found, least = [], _NAMED
        elif not _is_repeated(sentences, at, known):
            decision = _weigh(sentences, at)
            ends = _ALONE.fullmatch(sentence) or re.search("[.!?;。][\"')…]*\\Z", sentence)
            if cut and not ends and at == len(sentences) - 1:
                break
            if decision[0] < _STATED and _turns_from(found, sentence):
                found = []
            elif decision[0] >= least:
                found.append(decision)
    return found


def _turns_from(found: Sequence[Decision], sentence: str) -> bool:
    """Whether the sentence may decide otherwise than the last that was understood."""
    decided = [symbol for weight, symbol in found if weight >= _STATED][-1:]
    labels = {*re.findall("[FST]", sentence)}
    other = decided and len(labels) == 1 and labels != {*decided}
    return bool(other and _TURNS.search(sentence))


def _is_repeated(sentences: Sequence[str], at: int, known: str) -> bool:
    """Whether the judge was shown this sentence; a label by itself, with the words before it."""
    text = sentences[at]
    if not _ALONE.fullmatch(text):
        return compact(text) in known
    before = sentences[at - 1].split()[-3:] if at else []
    return len(before) > 1 and compact(" ".join([*before, text])) in known


def _weigh(sentences: Sequence[str], at: int) -> Decision:
    """Give the weight of the sentence's label; -1 if it has none, or denies it."""
    sentence = sentences[at]
    short = sentence if len(sentence) <= _LONGEST else ""
    if (match := _ALONE.fullmatch(short)) and not _belongs(sentences, at):
        return _NAMED, match[1]
    if named := _NAMES.fullmatch(short):
        return _NAMED, named[1]
    if not match and not any(map(_LIMITS.match, sentences[at + 1 : at + 2])):
        found = (pattern.fullmatch(short) for pattern in _STATEMENTS)
        if match := next(filter(None, found), None):
            return _STATED, match[1]
    mention = re.search("[FST]", sentence)
    return (_MENTIONED, mention[0]) if mention and not _DENIED.search(sentence) else (-1, "")


def _belongs(sentences: Sequence[str], at: int) -> bool:
    """Whether a label by itself is no verdict: amid the reply, in a list, an answer, a heading."""
    near = [*sentences[max(0, at - 1) : at], *sentences[at + 1 : at + 2]]
    if any(map(_ALONE.fullmatch, near)):
        return True
    if at:
        return at < len(sentences) - 1 or sentences[at - 1].endswith("?")
    headings = [match[1] for line in sentences[1:] if (match := _HEADING.match(line))]
    others = bool(headings) and sentences[0][0] not in headings
    return others and not _ALONE.fullmatch(sentences[-1])
