"""The words of the poster as masks, for tools/make_art.py, so that the system draws them without any font."""

from itertools import count
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from app.core import province
from app.wechat import poster, poster_texts

FONTS = Path("/usr/share/fonts/opentype/noto")
POSTER_ART = Path(poster.__file__).with_name("art")


def write_words(words: poster_texts.PosterText, file: Path) -> None:
    """Write a line of words as a mask in 16 steps, enough for smooth edges; the file notes what it says."""
    font = _font(words)
    mask = Image.new("L", (round(font.getlength(words.text)) + 1, words.height))
    ImageDraw.Draw(mask).text((0, words.baseline), words.text, 255, font, anchor="ls")
    note = PngInfo()
    note.add_itxt("Words", "|".join(map(str, words)))
    mask.point(lambda value: round(value / 17) * 17).save(file, optimize=True, pnginfo=note)


def _font(words: poster_texts.PosterText) -> ImageFont.FreeTypeFont:
    """Return the face of the collection that a text is written in."""
    file = FONTS / f"NotoSansCJK-{words.weight}.ttc"
    faces = (ImageFont.truetype(file, words.size, index) for index in count())
    return next(face for face in faces if face.getname()[0] == f"Noto Sans CJK {words.face}")


def make_poster_words(art: Path) -> None:
    """Write every mask of the province anew."""
    art.mkdir(parents=True, exist_ok=True)
    for old in art.glob("*.png"):
        old.unlink()
    for name, words in poster_texts.TEXTS.items():
        language = name.rstrip("-12").rpartition("-")[2]
        write_words(words._replace(text=province.current().rename(words.text, language)), art / f"{name}.png")
