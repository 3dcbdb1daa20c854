"""What the voices say: the wake word, words like it, and sentences in nine languages."""

WORD = "marvin"
ALONE = ["marvin", "marvin.", "marvin?", "marvin!"]
# The word stands last, so that the end of the utterance is the end of the word.
PHRASES = ["hey marvin", "okay marvin", "hello marvin", "please marvin", "and marvin", "tell marvin", "thank you marvin",
           "where is marvin", "this is marvin", "good morning marvin", "i said marvin", "come here marvin"]
NEAR = """marble martin marvel marvelous carbon margin starving carving harvest market martian marlin marsh mar vin
darwin calvin melvin alvin kevin gavin devin marine marina maven marking martini garden pardon argon arson bargain
jargon parson carton charming farming arming barking parking larva lava mother moving heaven seven eleven oven raven driven given
living mourning morning marathon marigold marionette marker marshal marty mary marry mark mars march marching marmalade smarting
scarring marred carver starve carve arms army farm harm charm alarm harvard start marvels marveled martyr mortal mormon merlin
maurice maureen muffin margarine marching in move in my van more wine mall van more fun mar then mark in mars in arriving arrival
marginal harbor arbor barber ardent varnish garnish tarnish parvenu var vinyl vincent vintage vine wind win when begin within
cabin robin satin basin raisin cousin bob sarah anna jarvis computer alexa hey google siri okay jarvis travis carmine mavis
yes no up down left right on off stop go zero one two three four five six eight nine ten bed bird cat dog happy house sheila tree
wow backward forward follow learn visual""".split()
NEAR += ["marvel in", "more then", "my van", "move in", "mark in", "hey martin", "hey melvin", "okay garden", "hello darwin",
         "the margin", "a marble", "starving now", "carbon copy", "harvest in", "far even", "car van", "star van", "part in"]
NEAR = [word for word in NEAR if WORD not in word]
DICTIONARIES = {"en": "american-english", "de": "ngerman", "fr": "french", "es": "spanish", "it": "italian", "nl": "dutch",
                "sv": "swedish", "pl": "polish", "pt": "portuguese"}
COMMON = """the a and of to in is it you that was for on are with as his they at be this have from or one had by but what all were
when we there can an your which their said if do will each about how up out them then she many some so these would other
into""".split()


def word_lists():
    lists = {}
    for language, name in DICTIONARIES.items():
        encoding = "latin-1" if language == "sv" else "utf-8"
        with open(f"/usr/share/dict/{name}", encoding=encoding) as file:
            words = [word.strip() for word in file]
        close = ("marvi", "marwi", "marve", "marva", "marvy")
        lists[language] = [w for w in words if 2 < len(w) < 12 and "'" not in w and not w.lower().startswith(close)]
    return lists


def sentence(rng, words, language):
    picked = [words[rng.integers(len(words))] for _ in range(rng.integers(4, 9))]
    if language == "en":
        picked = [w for word in picked for w in (str(rng.choice(COMMON)), word)]
    return " ".join(picked)
