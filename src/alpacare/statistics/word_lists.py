"""The word lists behind `alpacare.statistics.verbs`, written for medical instructions."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Verbs at the start of instructions, in base form. A verb that is missing here is still found
# before a determiner ("Tabulate the ...").
VERBS = _words(
    """
    account act adapt add address adjust advise analyse analyze answer apply appraise arrange ask
    assess assign assume balance base be begin boil break brief build calculate carry categorise
    categorize change check choose circle cite clarify classify code combine comment compare
    compile complete compose compress compute condense conduct confirm connect consider
    consolidate construct continue contrast convert correct counsel count craft create cut debate
    decide deduce define deliver derive describe design detail determine develop diagnose discuss
    distil distill distinguish divide document draft draw edit elaborate engage ensure enumerate
    estimate evaluate examine expand explain explore express extract figure file fill find fix
    flag follow form formulate frame generate give grade group guide handle help highlight hold
    identify illustrate imagine imply improve include indicate infer inform interpret introduce
    invite judge justify keep label lay let link list locate look make mark match mention model
    modify name note offer order organise organize outline paraphrase perform pick piece place
    plan play point predict prepare prescribe present prioritise prioritize produce propose prove
    provide pull put question quote rank rate read reason recast recommend record reduce refer
    reflect reformulate remind remove rename rephrase replace reply report request resolve respond
    restate restructure retell review revise reword rewrite role-play roleplay say score select
    sentence separate set share shorten show simplify simulate sketch solve sort speak specify
    split spot start state structure study suggest sum summarise summarize support suppose
    synthesise synthesize tabulate take talk teach tell test thank think trace transform translate
    turn unpack update use verify walk warn weigh work write
    """
)
# Verbs whose first object may be the person who gets the second.
GIVING = _words("ask draw find give make offer send show teach tell write")
# Verbs followed by a clause, which is no object: "Suppose ST elevation appears".
SUPPOSING = _words("assume decide ensure imagine say suppose think")
# Words before the verb.
BEFORE = _words("also and but finally first just kindly next now please so then")
# A sentence that starts with one of these has a condition first and the verb after a comma.
OPENINGS = _words(
    """
    about after against as at based bearing because before beginning being between beyond building
    by considering drawing during following for from given going having if imagining in keeping
    knowing like looking on once out over reading relying since speaking starting taking through
    to under upon using when whenever while with within without working
    """
)
# Words that are no imperatives, even before a determiner.
NO_VERB = OPENINGS | _words(
    """
    a all although am an and any are both but can could did do does each either even every few had
    half has have he her here his how i is it its just many may might more most must my neither no
    none nor not of one only or our several shall she should so some such than that the their
    there these they this those though three till two unless until was we were what where whether
    which who whom whose why will would yet you your
    """
)
DETERMINERS = _words(
    "a all an any both each every her his its my our some that the their these this those your"
)
# "each of the symptoms" is about symptoms.
SHARES = _words("all any both each either every half many most one several some three two")
PARTICLES = _words("away back down off out over up")
PRONOUNS = _words("herself him himself it me them themselves us you yourself")
# Words between a verb and its object: "Assign to each case the principle".
PREPOSITIONS = _words("as at by for from in into on onto to under with within without")
# Where a noun phrase ends.
ENDS = _words(
    """
    about above across after against along among and are around as at away back be because been
    before behind below between beyond but by can could did do does down during for from had has
    have he him how i if in inside into is it like may me might must nor of off on onto or out
    over per plus rather regarding shall she should since so sure than that them there they
    through to together toward towards under until up upon us via was we were what when where
    whether which while who whom whose why will with within without would you
    """
)
# Adjectives that a comma or "and" may join to the next one, besides those known by their endings.
ADJECTIVES = _words(
    """
    accurate best better brief calm clear concise correct final friendly full gentle good honest
    kind likely long main new next overall plain polite poor right sharp short simple single sound
    steady strong true warm well-organised well-organized
    """
)
ADJECTIVE_ENDINGS = ("able", "ed", "est", "ful", "ible", "ical", "ive", "less", "ly", "ous")
# Words that may follow their noun.
AFTER = _words(
    """
    best clear clearer easier easy first friendlier given here most readable seen short shorter
    shown straight taken there understandable written
    """
)
ODD_PLURALS = {"children": "child", "people": "person", "criteria": "criterion", "feet": "foot"}
SINGULARS = _words("diabetes herpes means news rabies scabies series species")
