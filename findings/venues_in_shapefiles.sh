#!/usr/bin/env bash
# geopandas 1.2.0 with pyogrio 0.13.0 (which brings GDAL 3.12.4), pyshp 3.1.6 (PyPI); shapefile 0.6.6 (npm); Node
#
# Streets and venues as a shapefile, which planning offices still ask for. The table beside the points (.dbf) has ten bytes for the
# name of a column, and three letters of Chinese are nine of them in UTF-8: 体温 fits, 体温测量结果 ("result of measuring") does not.
# Guess: a long name is refused, or cut after the third letter; what a library has written, it reads.
# Really: geopandas writes the file and warns. GDAL cuts after the tenth byte, within the fourth letter. geopandas then cannot read the
#   file, no column of it, not with use_arrow or encoding="utf-8" either: UnicodeDecodeError, and pyshp raises as well.
#   Two columns with the same three letters differ in the eighth byte, where _1 is put within the third letter.
#   The warning does not name the column: it could not be decoded itself, and is there as bytes.
#   With encoding="gbk" five letters of two bytes fit, all read the file, and the names lack their ends. shapefile (npm) reads the
#     first file too, with a replacement sign in its names. A note of 100 letters comes back with 84, cut at a letter, and the
#     warning says 254 characters.
# Why it matters: the export is a success in the log, and the office on the other side has a file that cannot be opened. Short names in
#   ASCII with a list of what they mean, or GeoPackage, which has none of this; and read each file once before it is sent.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q geopandas==1.2.0 pyogrio==0.13.0 pyshp==3.1.6 2> pip.log
npm install --silent --no-audit --no-fund --ignore-scripts --prefix . shapefile@0.6.6 > npm.log
cat > write.py <<'PY'
import warnings

import geopandas
import shapefile
from shapely.geometry import Point

COLUMNS = {"体温测量结果": [36.5], "体温测量日期": ["2020-03-19"], "备注": ["延" * 100]}


def attempt(read):
    try:
        return " ".join(read())
    except Exception as error:
        return type(error).__name__


def write_and_read(name, **options):
    frame = geopandas.GeoDataFrame(COLUMNS, geometry=[Point(129.5, 42.9)], crs=4326)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        frame.to_file(f"{name}.shp", **options)
    told = [str(one.message) for one in warned]
    with open(f"{name}.dbf", "rb") as table:
        head = table.read(128)
    print(f"{name}: names in the file:", head[32:42].rstrip(b"\0"), head[64:74].rstrip(b"\0"))
    print(f"{name}: a warning names the column:", any("体温测量结果" in one for one in told),
          "| speaks of 254 characters:", any("254 characters" in one for one in told))
    print(f"{name}: geopandas:", attempt(lambda: geopandas.read_file(f"{name}.shp").columns))
    print(f"{name}: pyshp:", attempt(lambda: [field[0] for field in shapefile.Reader(name).fields[1:]]))


write_and_read("utf8")
print("utf8: named again:", attempt(lambda: geopandas.read_file("utf8.shp", encoding="utf-8").columns))
write_and_read("gbk", encoding="gbk")
notes = geopandas.GeoDataFrame({"note": ["延" * 100]}, geometry=[Point(129.5, 42.9)], crs=4326)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    notes.to_file("notes.shp")
print("of 100 letters in a note:", len(geopandas.read_file("notes.shp")["note"][0]))
geopandas.GeoDataFrame(COLUMNS, geometry=[Point(129.5, 42.9)], crs=4326).to_file("good.gpkg")
print("GeoPackage:", attempt(lambda: geopandas.read_file("good.gpkg").columns))
PY
cat > read.mjs <<'JS'
import shapefile from 'shapefile';
for (const [name, encoding] of [['utf8', 'utf-8'], ['gbk', 'gbk']]) {
  const { features } = await shapefile.read(`${name}.shp`, `${name}.dbf`, { encoding });
  console.log(`${name}: npm:`, Object.keys(features[0].properties).join(' '));
}
JS
{ venv/bin/python write.py; node read.mjs; } | tee seen
diff seen - <<'TEXT'
utf8: names in the file: b'\xe4\xbd\x93\xe6\xb8\xa9\xe6\xb5\x8b\xe9' b'\xe4\xbd\x93\xe6\xb8\xa9\xe6\xb5_1'
utf8: a warning names the column: False | speaks of 254 characters: True
utf8: geopandas: UnicodeDecodeError
utf8: pyshp: dbfFileException
utf8: named again: UnicodeDecodeError
gbk: names in the file: b'\xcc\xe5\xce\xc2\xb2\xe2\xc1\xbf\xbd\xe1' b'\xcc\xe5\xce\xc2\xb2\xe2\xc1\xbf\xc8\xd5'
gbk: a warning names the column: False | speaks of 254 characters: False
gbk: geopandas: 体温测量结 体温测量日 备注 geometry
gbk: pyshp: 体温测量结 体温测量日 备注
of 100 letters in a note: 84
GeoPackage: 体温测量结果 体温测量日期 备注 geometry
utf8: npm: 体温测� 体温�_1 备注
gbk: npm: 体温测量结 体温测量日 备注
TEXT
