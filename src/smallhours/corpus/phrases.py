"""The phrases that rewordings are made of: openings of questions, and frames around statements.

Not here: questions whose words would have to change further on ("why does my chest hurt" needs "hurts").
"""

from __future__ import annotations

# Where a question can begin; elsewhere "how can i" may belong to reported speech.
START = (
    r"(?:^|(?<=[.?!,;:]\s)|(?<=\n)|(?<=\band\s)|(?<=\bbut\s)|(?<=\bso\s)|(?<=\blike\s)|(?<=\bliterally\s)"
    r"|(?<=\bok\s)|(?<=\bplease\s)|(?<=\bthen\s))"
)
# Verbs that make "how do i …" a question about a state, or the words after it no plain infinitive.
_NO_WAY = r"(?!(?:even|ever|not|be|feel|look|seem|sound|know if|know when|know whether)\b)"

# Verbs for what cannot simply be done: "what are ways to believe them" is no English.
_STATES = r"(?:believe|trust|accept|forgive|love|like|care|know)"

# Name, opening, replacements, the best three first. "i" takes the capital that the message gives it.
QUESTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "how-i",
        rf"how (?:can|do|could) i {_NO_WAY}(?!{_STATES}\b)",
        (
            "what are ways to ",
            "how exactly can i ",
            "could you explain how to ",
            "is there a good way to ",
            "do you know how i can ",
            "any tips on how to ",
        ),
    ),
    (
        "how-i-state",
        rf"how (?:can|do|could) i (?={_STATES}\b)",
        ("how exactly can i ", "do you know how i can ", "how am i supposed to "),
    ),
    (
        "how-you",
        r"how (?:do|can) you (?!(?:even|feel|know|work|think|do|mean|look|seem|help)\b)",
        (
            "what are ways to ",
            "how exactly do you ",
            "could you explain how to ",
            "is there a good way to ",
            "any tips on how to ",
        ),
    ),
    ("how-even", r"how do i even ", ("how can i even ", "how would i even ", "how am i even supposed to ")),
    ("how-people", r"how do people ", ("could you explain how people ", "do you know how people ")),
    ("ways", r"what are ways to ", ("how can i ", "could you explain how to ", "do you know any ways to ")),
    (
        "what-are",
        r"what are (?=(?:some|small|good|easy|simple) )",
        ("can you suggest ", "do you know any ", "could you tell me about "),
    ),
    (
        "helps-when",
        r"what helps when ",
        ("what can help when ", "is there anything that helps when ", "what could i try when "),
    ),
    ("would-help", r"what would help ", ("what could help ", "is there anything that would help ")),
    (
        "do-when",
        r"what (?:can|do|should) i do (?=(?:when|if)\b)",
        ("what can i do ", "what should i do ", "is there anything i can do ", "what could i try "),
    ),
    (
        "can-do",
        r"what (?:can|could) i do\b(?! when| if)",
        ("what could i do", "is there anything i can do", "is there something i can do"),
    ),
    (
        "should-do",
        r"what (?:should|do) i do(?=[.?!]|$)",
        ("what can i do", "what would you suggest", "what could i do"),
    ),
    ("what-say", r"what do i say\b", ("what should i say", "what could i say", "what am i supposed to say")),
    (
        "what-even-say",
        r"what do i even say\b",
        ("what should i even say", "what am i even supposed to say", "what could i even say"),
    ),
    ("what-if", r"what if i ", ("what do i do if i ", "what happens if i ", "what should i do if i ")),
    (
        "whats-another",
        r"what'?s another way\b",
        ("is there another way", "do you know another way", "what would be another way"),
    ),
    (
        "wrong-with-me",
        r"what is wrong with me\b",
        ("do you know what is wrong with me", "could you tell me what is wrong with me"),
    ),
    (
        "do-i-have",
        r"do i (?=have )",
        ("do you think i ", "is it possible i ", "would you say i "),
    ),
    (
        "should-i",
        r"(?:should|do) i (?!(?:have|need|look|seem|sound|feel|want|even|just|not|say|do) )",
        ("do you think i should ", "would it be a good idea to ", "would it make sense to "),
    ),
    ("can-i", r"can i (?!(?:ask|tell|talk|say)\b)", ("do you think i can ", "would i be able to ")),
    ("am-i", r"am i ", ("do you think i am ", "could it be that i am ", "would you say i am ")),
    (
        "is-it-ok",
        r"is it (?:ok|okay|alright|all right) (?=to |if )",
        ("do you think its ok ", "would it be ok ", "would you say its ok "),
    ),
    (
        "is-it-normal",
        r"is it normal (?=to |that |if |for )",
        ("do you think its normal ", "would you say its normal ", "can it be normal "),
    ),
    (
        "anything",
        r"is there anything to be done\b",
        ("can anything be done", "could anything be done", "is there something to be done"),
    ),
    (
        "is-my",
        r"is (?P<who>my \w+) (?P<what>an? )",
        ("do you think {who} is {what}", "could {who} be {what}", "would you say {who} is {what}"),
    ),
    ("do-people", r"do people ", ("can people ", "do you think people ", "would you say people ")),
    (
        "are-you",
        r"are you (?=an? )",
        ("can i ask, are you ", "just wondering, are you ", "be honest, are you "),
    ),
    (
        "any",
        r"any (?=(?:tips|advice|ideas|suggestions)\b)",
        ("got any ", "do you have any ", "can you give me any "),
    ),
    ("now-what", r"now what\b", ("what now", "what do i do now", "what can i do now")),
    (
        "why-i-do",
        r"why do i ",
        ("could you explain why i ", "any idea why i ", "do you know why i "),
    ),
    (
        "why-i-am",
        r"why am i ",
        ("could you explain why i am ", "any idea why i am ", "do you know why i am "),
    ),
    (
        "why-cannot",
        r"why (?P<negated>can'?t) i ",
        ("any idea why i {negated} ", "do you know why i {negated} "),
    ),
    (
        "why-is-it",
        r"why is it (?=(?:so |that |always )?\w+ )",
        ("could you explain why it is ", "any idea why it is ", "do you know why it is "),
    ),
    ("why", r"why(?=[.?!]*$)", ("any idea why", "do you know why", "why is that")),
)

AFTER = (
    "any advice?",
    "what could help?",
    "what can i do?",
    "what would you suggest?",
    "how do i deal with this?",
    "is there anything i can do?",
    "i could use some advice.",
    "what would help?",
)
BEFORE = (
    "can i tell you something?",
    "i need to get this out.",
    "can i talk to you about something?",
    "could you help me think about this?",
    "i could use some help.",
    "i just want to say this somewhere.",
    "hi, can i talk here for a minute?",
    "this has been on my mind.",
    "i wanted to tell someone.",
)
BEFORE_A_QUESTION = (
    "can i ask something?",
    "i have a question.",
    "hope its ok to ask.",
    "hi, quick question.",
    "i wanted to ask about this.",
    "could you help me with something?",
    "something i keep wondering.",
    "hello, i could use some advice.",
    "hi, can you help me?",
)
