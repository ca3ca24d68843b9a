"""Many command lines in one process, for tests of what commands print."""

#: Runs many command lines in one process, and writes their exit codes to a file.
DRIVER = """
import importlib, json, sys, traceback
module, lines, codes = sys.argv[1:]
cli, found = importlib.import_module(module), []
for line in json.load(open(lines, encoding="utf-8")):
    sys.argv[1:] = line
    try:
        found.append(cli.main())
    except SystemExit as end:
        found.append(end.code)
    except Exception:
        traceback.print_exc()
        found.append(line)
sys.stdout.flush()
json.dump(found, open(codes, "w", encoding="utf-8"))
"""
