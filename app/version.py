"""The software's version: SemVer, one place; CHANGELOG.md says what each brought."""

VERSION = "0.9.0"
