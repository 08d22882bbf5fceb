"""Reads just enough C++ to find functions and statements: no types, names or preprocessor."""

import dataclasses
import re

_TOKENS = re.compile(
    r'//[^\n]*'
    r'|/\*.*?\*/'
    r'|R"(?P<delimiter>[^()\s\\]{0,16})\(.*?\)(?P=delimiter)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])+'",
    re.DOTALL)
_SCOPE = re.compile(
    r"^(?:template\s*<.*>\s*)?(?:inline\s+|export\s+|typedef\s+|static\s+|constexpr\s+)*"
    r"(?:namespace|class|struct|enum|union|extern)\b(?![^{]*\()", re.DOTALL)
_DIRECTIVE = re.compile(r"(?m)^[ \t]*#(?:[^\n\\]|\\.|\\\n)*")
_INTRODUCER = re.compile(
    r"(?:^|[^\w\])\[\s]|\b(?:return|co_return|co_await)\b)\s*(\[[^\[\]]*\])\s*(?:<[^()]*>\s*)?$")
_BLOCK_WORDS = {"else", "do", "try", "const", "noexcept", "override", "final", "mutable"}
_LAMBDA_TAIL = re.compile(r"[\w:<>,\s&*]*(?:->[\w:<>,\s&*]*)?$")


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def blanked(text: str) -> str:
    """Replace comments and the contents of literals by blanks; keep quotes and line breaks."""

    def blank(match: re.Match) -> str:
        token = match.group(0)
        kept = _blank(token)
        return kept if token.startswith("/") else token[0] + kept[1:-1] + token[-1]

    return _TOKENS.sub(blank, text)


@dataclasses.dataclass
class Statement:
    """A statement without the blocks inside it: the body of an `if` has its own statements."""

    text: str = ""
    begin: int = -1
    braces: bool = False
    awaits: list[int] = dataclasses.field(default_factory=list)
    captures: bool = False


@dataclasses.dataclass
class _Open:
    """An opening bracket that has not been closed."""

    sign: str
    offset: int
    kind: str = ""        # Of a brace: scope, function, block, lambda or value.
    statement: Statement | None = None  # Of a lambda: the statement around it.
    lambda_tail: bool = False  # Of a parenthesis: the parameters of a lambda.


@dataclasses.dataclass(frozen=True)
class Function:
    first: int  # Offset of the first character of its head.
    last: int   # Offset of the closing brace.


class Scan:
    """Reads blanked code once and collects functions and statements."""

    def __init__(self, code: str):
        self.code = _DIRECTIVE.sub(lambda directive: _blank(directive.group(0)), code)
        self.functions: list[Function] = []
        self.statements: list[Statement] = []
        self._open: list[_Open] = []
        self._statement = Statement()
        for offset, sign in enumerate(self.code):
            self._take(offset, sign)
        self._end()

    def _take(self, offset: int, sign: str) -> None:
        if sign in "([":
            tail = sign == "(" and self._is_lambda_introducer(self._statement.text)
            self._open.append(_Open(sign, offset, lambda_tail=tail))
            self._add(offset, sign)
        elif sign in ")]":
            self._close_bracket()
            self._add(offset, sign)
        elif sign == "{":
            self._open_brace(offset)
        elif sign == "}":
            self._close_brace(offset)
        elif sign == ";" and not self._inside_bracket():
            self._end()
        elif sign.strip() or self._statement.text:
            self._add(offset, sign)

    def _add(self, offset: int, sign: str) -> None:
        if self._statement.begin < 0:
            self._statement.begin = offset
        self._statement.text += sign
        if sign == "t" and re.search(r"\bco_await$", self._statement.text):
            self._statement.awaits.append(offset)

    def _end(self) -> None:
        if self._statement.text.strip():
            self.statements.append(self._statement)
        self._statement = Statement()

    def _inside_bracket(self) -> bool:
        return bool(self._open) and self._open[-1].sign != "{"

    def _close_bracket(self) -> None:
        if self._open and self._open[-1].sign != "{":
            self._open.pop()

    @staticmethod
    def _introducer(text: str) -> re.Match | None:
        """Find a lambda's [...] at the end of `text`; a subscript or an attribute is none."""
        return _INTRODUCER.search(text)

    def _is_lambda_introducer(self, text: str) -> bool:
        return self._introducer(text) is not None

    def _lambda_head(self, text: str) -> str | None:
        """Return the capture list if `text` ends where a lambda's body begins."""
        if found := self._introducer(text):
            return found.group(1)
        tail = re.search(r"\)\s*" + _LAMBDA_TAIL.pattern, text)
        if not tail:
            return None
        depth, at = 0, tail.start()
        while at >= 0:
            depth += {")": 1, "(": -1}.get(text[at], 0)
            if depth == 0:
                break
            at -= 1
        found = self._introducer(text[:max(at, 0)])
        return found.group(1) if found else None

    def _kind_of_brace(self, text: str) -> str:
        text = text.strip()
        if not self._inside_bracket() and not self._in_function():
            if _SCOPE.match(text):
                return "scope"
            is_value = re.search(r"[=,(]$|\breturn$", text) or self._is_member_value(text)
            return "value" if "(" not in text or is_value else "function"
        if not text or text[-1] in ");:" or text.split()[-1] in _BLOCK_WORDS:
            return "value" if self._inside_bracket() and text else "block"
        if re.match(r"(?:struct|class|enum|union)\b", text) and not self._inside_bracket():
            return "block"
        return "value"

    @staticmethod
    def _is_member_value(text: str) -> bool:
        """Tell `a_{...}` in the initialisers of a constructor from the body of the constructor."""
        initialisers = re.search(r"\)\s*(?:noexcept\s*)?:[^:]", text)
        return bool(initialisers and re.search(r"\w$", text))

    def _in_function(self) -> bool:
        return any(part.kind in ("function", "lambda") for part in self._open)

    def _open_brace(self, offset: int) -> None:
        statement = self._statement
        captures = self._lambda_head(statement.text)
        if captures is not None:
            statement.braces = True
            statement.captures = statement.captures or captures[1:-1].strip() != ""
            self._open.append(_Open("{", offset, "lambda", statement))
            self._statement = Statement()
            return
        kind = self._kind_of_brace(statement.text)
        begin = statement.begin if statement.begin >= 0 else offset
        if kind == "value":
            statement.braces = True
            self._add(offset, "{")
            self._open.append(_Open("{", offset, kind))
            return
        self._end()
        self._open.append(_Open("{", begin if kind == "function" else offset, kind))

    def _close_brace(self, offset: int) -> None:
        while self._open and self._open[-1].sign != "{":
            self._open.pop()
        if not self._open:
            return
        part = self._open.pop()
        if part.kind == "value":
            self._add(offset, "}")
            return
        self._end()
        if part.kind == "lambda":
            self._statement = part.statement
            self._add(offset, "}")
        if part.kind == "function":
            self.functions.append(Function(part.offset, offset))
