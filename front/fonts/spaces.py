"""Gives the heading typeface what the subset lacks: the narrow no-break space of French, before « ; ! ? »,
and the hyphen that breaks no reference. Needs fonttools and brotli; run once on a new subset.
    python3 spaces.py bricolage-700.woff2
"""
import sys

from fontTools.ttLib import TTFont

# A fifth of an em: headings tighten their letters, a thinner space would vanish.
NARROW = 200

path = sys.argv[1]
font = TTFont(path)
best = font.getBestCmap()
if 0x202F not in best:
    name = "uni202F"
    font.setGlyphOrder([*font.getGlyphOrder(), name])
    font["glyf"].glyphs[name] = type(font["glyf"][best[0xA0]])()
    font["hmtx"].metrics[name] = (NARROW, 0)
    font["maxp"].numGlyphs += 1
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap[0x202F] = name
            table.cmap[0x2011] = best[0x2D]
    font.save(path)
