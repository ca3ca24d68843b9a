"""All of a city in one file, made while it runs, and back: `schoolpulse backup` and `restore`.

BackupError (a refusal: the message names the file and the fix) is the one error of this package
besides those of the store.
"""
