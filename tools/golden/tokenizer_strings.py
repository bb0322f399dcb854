"""The strings of the tokenizer golden set: made from the same seed, always the same ones."""

import random
import re

SENTENCES = """The quick brown fox jumps over the lazy dog.
I'm sure they'll say it's "fine"; we've heard that before, haven't WE'VE?
Zażółć gęślą jaźń, a potem pójdź, kińże tę chmurność w głąb flaszy!
Příliš žluťoučký kůň úpěl ďábelské ódy.
Falsches Üben von Xylophonmusik quält jeden größeren Zwerg.
Voix ambiguë d’un cœur qui, au zéphyr, préfère les jattes de kiwis.
El pingüino Wenceslao hizo kilómetros bajo exhaustiva lluvia y frío: ¿qué más?
Pijamalı hasta yağız şoföre çabucak güvendi. İstanbul ısındı.
Đời người đẹp nhất là khi được yêu thương và sẻ chia.
Съешь же ещё этих мягких французских булок, да выпей чаю.
Ξεσκεπάζω την ψυχοφθόρα βδελυγμία, ὦ ἄνδρες Ἀθηναῖοι.
עטלף אבק נס דרך מזגן שהתפוצץ כי חם; בְּרֵאשִׁית בָּרָא אֱלֹהִים
صِف خَلقَ خَودِ كَمِثلِ الشَمسِ إِذ بَزَغَت ١٢٣٤٥
یک متن فارسی با نیم‌فاصله می‌نویسم ۱۲۳
ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का सर्वनाश १२३
আমি বাংলায় গান গাই, আমি বাংলার গান গাই।
யாதும் ஊரே யாவரும் கேளிர்
ಎಲ್ಲ ಮಾನವರೂ ಸ್ವತಂತ್ರರಾಗಿಯೇ ಹುಟ್ಟಿದ್ದಾರೆ
เป็นมนุษย์สุดประเสริฐเลิศคุณค่า กว่าบรรดาฝูงสัตว์เดรัจฉาน
လူတိုင်းသည် တူညီ လွတ်လပ်သော ဂုဏ်သိက္ခာ
ខ្ញុំអាចញ៉ាំកញ្ចក់បាន ដោយគ្មានបញ្ហា
བོད་སྐད་ཡིག་གི་ཡི་གེ།
ყველა ადამიანი იბადება თავისუფალი
Բոլոր մարդիկ ծնվում են ազատ ու հավասար
ሁሉም ሰዎች ነጻ ሆነው ተፈጥረዋል፡፡
ᏂᎦᏓ ᎠᏂᏴᏫ ᏂᎨᎫᏓᎸᎾ
いろはにほへと ちりぬるを ワカヨタレソ ツネナラム、ｶﾅ。
人人生而自由，在尊嚴和權利上一律平等。他们赋有理性和良心！
키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다.
ᄀᆞᆨ 옛한글 ㄱㄴㄷ ｆｕｌｌｗｉｄｔｈ １２３ Ⅷ ½ ² ₃ ①
def f(x: int) -> str:\n    return f"{x!r:>10}"  # größer als 0\n
for (int i = 0; i < n; ++i) { a[i] ^= b[i] << 3; }\t// ok
SELECT * FROM "t" WHERE id IN (1,2,3) AND name LIKE '%x%';
<div class="a b"><h1>Title</h1><p>x &amp; y</p></div>
{"key": [1.5e-10, null, true], "é": "\\u00e9\\n"}
https://user:pw@example.org:8080/a/b.html?q=1&r=%20#frag mailto:x.y+z@mail.example
$ ls -la ~/src | grep '^d' && echo "$HOME" > /dev/null 2>&1
E = mc², ∑_{i=1}^{n} x_i ≤ ∞, α→β, 5×3≠16 ± 0.5‰ €12,50 £3 ¥400
1234567890 12 345 6,789.01 0x1F 1e10 3.14159 2024-02-29T23:59:59Z 007 ٣٤٥ ४५६
Mr. O'Neill's dog'll bark; he'd've said "y'all're" 'TIS 'twas rock'n'roll
👩‍👩‍👧‍👦 👍🏽 🇩🇪🇫🇷 🏳️‍🌈 ❤️ ☺︎ 🤷🏻‍♀️ 0️⃣ 😀😃
ﬁ ﬂ ﬀ Å Å Å ñ ñ ệ ệ ḗ̈ ｡ ㌖ ﷺ
naïve café résumé façade coöperate Ångström smörgåsbord
ǅ ǆ ẞ ß ſ K Å ı İ ς σ Σ ŉ ΐ
""".split("\n")[:-1]

SPECIAL = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<repo_name>", "<empty_output>", "<bos>", "<eos>",
           "<unk>", "<pad>", "<start_of_turn>", "<end_of_turn>", "<unused42>", "[multimodal]", "<s>", "</s>",
           "<|eot_id|>", "<|begin_of_text|>", "[INST]", "[/INST]", "<<SYS>>", "[CLS]", "[SEP]", "[MASK]", "[UNK]",
           "<0x0A>", "▁", "<h1>", "</td>", "<table>", "<mask>", "Ġ", "Ċ", "##ing"]

PIECES = ["a", "b", "the", " the", "ing", "A", "Z", "1", "2", "90", "٣", "½", " ", "  ", "   ", "\n", "\n\n", "\r\n",
          "\r", "\t", "\t\t", "\v", "\f", "\u00a0", "\u3000", "\u2028", "\u2009", "\x85", "\u200b", "\u200d", "\ufeff",
          "\u00ad", "'", "'s", "'S", "'ll", "'LL", "'re", "'Ve", "'ſ", "’s", ".", "...", "!", "?!", "$", "+", "`", "~",
          "_", "-", "—", "/", "\\", "\"", "«", "。", "é", "e\u0301", "ñ", "\u0301", "\u0323\u0301", "ß", "я", "Ж", "α",
          "中", "文字", "あ", "カ", "한", "ก", "ש", "ع", "अ", "😀", "👍🏽", "🇩🇪", "👩‍💻", "\U00013441", "\U00011F50",
          "\U0001E030", "\U0003134A", "\U00011B00", "\ufffd", "\ufffe", "\ue000", "\U0010ffff", "\x00", "\x01", "\x1b",
          "\x7f", "▁", "Ġ"]

BROKEN = [b"\x80", b"\xbf", b"\xc0", b"\xc1", b"\xc3", b"\xa9", b"\xe2", b"\x82", b"\xac", b"\xe0\x80\x80", b"\xc0\x80",
          b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf0", b"\x9f", b"\x98", b"\xf0\x80\x80\xaf", b"\xf5", b"\xf8", b"\xfe",
          b"\xff", b"a", b" ", b"\n", b"1", b"'s", b"\xe4\xb8\xad", b"\xc3\xa9"]


def make_strings():
    """Bytes objects, each once, in a fixed order."""
    rng = random.Random(20240229)
    strings = [b""]
    strings += [s.replace("\\n", "\n").replace("\\t", "\t").encode() for s in SENTENCES]
    strings += [bytes([b]) for b in range(256)]
    strings += [b"a" + bytes([b]) + b"b" for b in range(128, 256)]
    for s in SPECIAL:
        strings += [s.encode(), f"x{s}y".encode(), f" {s} {s}\n".encode()]
    for c in " \t\n\r":
        strings += [(c * n).encode() for n in (2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 64)]
        strings += [f"x{c * n}y".encode() for n in (2, 3, 8, 31, 40)]
    # Two words and the punctuation between them, from every script.
    words = [w for s in SENTENCES for w in s.split()]
    strings += [w.encode() for w in words]
    strings += [f"{a} {b}".encode() for a, b in (rng.sample(words, 2) for _ in range(250))]
    strings += ["".join(rng.choices(PIECES, k=rng.randint(2, 6))).encode() for _ in range(1150)]
    strings += [b"".join(rng.choices(BROKEN, k=rng.randint(2, 6))) for _ in range(500)]
    # Characters from everywhere (assigned or not), alone behind a letter, a digit, a space.
    for _ in range(400):
        code = rng.choice((rng.randrange(0x80, 0x3000), rng.randrange(0xA000, 0xD800), rng.randrange(0xE000, 0x20000)))
        strings.append((rng.choice(("a", "1", " ", "")) + chr(code)).encode())
    # llama.cpp does not survive four-byte forms beyond U+10FFFF: they are no part of the set.
    beyond = re.compile(rb"(\xf4[\x90-\xbf]|[\xf5-\xf7][\x80-\xbf])[\x80-\xbf]{2}")
    return list(dict.fromkeys(s for s in strings if not beyond.search(s)))
