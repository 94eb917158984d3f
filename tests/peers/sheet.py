"""Reads a spreadsheet as a program of agents would (openpyxl for XLSX, odfpy for ODS, Python's own csv) and prints its
rows as JSON: each cell is [type, value], with type one of empty, text, day, number, formula."""

import csv
import datetime
import json
import sys


def xlsx(path):
    import openpyxl

    def cell(one):
        if one.value is None:
            return ["empty", ""]
        if one.data_type == "f":
            return ["formula", str(one.value)]
        if isinstance(one.value, datetime.datetime):
            return ["day", one.value.date().isoformat()]
        return ["text" if one.data_type in ("s", "inlineStr") else "number", str(one.value)]

    book = openpyxl.load_workbook(path)
    return [[cell(one) for one in row] for row in book.active.iter_rows()]


def ods(path):
    from odf import opendocument, table, teletype, text

    def cell(one):
        if one.getAttribute("formula"):
            return ["formula", one.getAttribute("formula")]
        kind = one.getAttribute("valuetype")
        if kind == "date":
            return ["day", one.getAttribute("datevalue")]
        if kind == "string":
            return ["text", "\n".join(teletype.extractText(line) for line in one.getElementsByType(text.P))]
        return ["empty" if kind is None else "number", one.getAttribute("value") or ""]

    sheet = opendocument.load(path).spreadsheet.getElementsByType(table.Table)[0]
    return [[cell(one) for one in row.getElementsByType(table.TableCell)] for row in sheet.getElementsByType(table.TableRow)]


def text(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return [[["text" if one else "empty", one] for one in row] for row in csv.reader(file, delimiter=";")]


READERS = {"xlsx": xlsx, "ods": ods, "csv": text}
path = sys.argv[1]
print(json.dumps(READERS[path.rsplit(".", 1)[1]](path)))
