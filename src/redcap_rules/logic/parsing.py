"""A formula read into an expression: operator precedence with explicit stacks, so depth costs no recursion."""

from dataclasses import dataclass

from redcap_rules.logic.brackets import read_brackets
from redcap_rules.logic.expression import Expression
from redcap_rules.logic.functions import DATE_FUNCTIONS, FUNCTIONS
from redcap_rules.logic.operators import BINDING, PREFIX, SPELLINGS, is_right_first
from redcap_rules.logic.syntax import Call, Clock, Node, Number, Operator, Reference, Smart, Text
from redcap_rules.logic.tokens import Token, tokens

_TRUTHS = {"true": 1.0, "false": 0.0}
_MOMENTS = ("today", "now")


def parse(text: str) -> Expression:
    """The expression of a formula.

    Operators from loose to tight: `or ||`, `and &&`, `not !`, comparisons, `+ -`, `* / %`, sign, `^` (from
    the right). Words are read in any capitals. Comments are `#` and `//` to the end of the line, and `/* */`.

    Raises:
        LogicError: With line and column, at the first thing that is not a formula.
    """
    return _Parser(list(tokens(text))).expression()


@dataclass(slots=True)
class _Pending:
    """An operator, parenthesis or call that waits for its values; `begins` is where its argument starts."""

    token: Token
    symbol: str
    binding: int = 0
    arity: int = 0
    count: int = 0
    begins: int = 0


class _Parser:
    def __init__(self, source: list[Token]) -> None:
        self._source = source
        self._position = 0
        self._nodes: list[Node] = []
        self._pending: list[_Pending] = []

    def expression(self) -> Expression:
        while True:
            self._operand()
            if self._after_operand():
                return Expression(tuple(self._nodes))

    def _next(self) -> Token:
        token = self._source[self._position]
        self._position += 1
        return token

    def _peek(self) -> Token:
        return self._source[self._position]

    def _operand(self) -> None:
        """Read prefixes and opening parentheses up to and including one value."""
        while True:
            token = self._next()
            symbol = SPELLINGS.get(token.text.lower(), token.text.lower())
            if token.kind in {"symbol", "word"} and symbol in PREFIX:
                self._pending.append(_Pending(token, symbol, PREFIX[symbol], arity=1))
            elif token.text == "(":
                self._pending.append(_Pending(token, "("))
            elif token.kind == "word" and symbol in FUNCTIONS:
                self._open_call(token, symbol)
            elif token.text != "+":
                self._nodes.append(self._leaf(token))
                return

    def _open_call(self, token: Token, name: str) -> None:
        opening = self._next()
        if opening.text != "(":
            raise opening.wrong(f"( expected after {token.text}")
        self._pending.append(_Pending(token, name, count=1, begins=len(self._nodes)))

    def _leaf(self, token: Token) -> Node:
        if token.kind == "number":
            return Number(token.text, self._finite(token), token.span)
        if token.kind == "text":
            return Text(token.text[1:-1], token.span)
        if token.kind == "bracket":
            return self._reference(token)
        if token.kind == "word":
            return self._word(token)
        message = "the formula ends where a value is expected" if token.kind == "end" else "a value is expected here"
        raise token.wrong(message)

    @staticmethod
    def _finite(token: Token) -> float:
        value = float(token.text)
        if value == float("inf"):
            raise token.wrong(f"{token.text} is too large a number")
        return value

    def _reference(self, token: Token) -> Reference | Smart:
        brackets = [token]
        while self._peek().kind == "bracket" and self._peek().span.start == brackets[-1].span.end:
            brackets.append(self._next())
        return read_brackets(brackets)

    def _word(self, token: Token) -> Node:
        word = token.text.lower()
        if word in _TRUTHS:
            return Number(word, _TRUTHS[word], token.span)
        if word in _MOMENTS:
            return Clock(word, quoted=False, span=token.span)
        if word == "nan":
            return Text("", token.span)
        if self._peek().text == "(":
            raise token.wrong(f"there is no function {token.text}()")
        raise token.wrong(f"{token.text} stands alone; write a field as [{token.text}] and a text in quotes")

    def _after_operand(self) -> bool:
        """Read closing parentheses up to an operator or comma; True at the end of the formula."""
        while True:
            token = self._next()
            symbol = SPELLINGS.get(token.text.lower(), token.text.lower())
            if token.kind in {"symbol", "word"} and symbol in BINDING:
                self._settle(BINDING[symbol] + is_right_first(symbol))
                self._pending.append(_Pending(token, symbol, BINDING[symbol], arity=2))
                return False
            if token.text == ",":
                self._comma(token)
                return False
            if token.kind == "end":
                self._end()
                return True
            if token.text != ")":
                raise token.wrong(f"an operator is expected before {token.text}")
            self._close(token)

    def _settle(self, binding: int) -> None:
        while self._pending and self._pending[-1].binding >= binding and self._pending[-1].arity:
            done = self._pending.pop()
            self._nodes.append(Operator(done.symbol, done.arity, done.token.span))

    def _comma(self, token: Token) -> None:
        self._settle(0)
        if not self._pending or not self._pending[-1].count:
            raise token.wrong("this comma separates nothing; decimals take a point")
        call = self._pending[-1]
        self._end_argument(call)
        call.count += 1
        call.begins = len(self._nodes)

    def _close(self, token: Token) -> None:
        self._settle(0)
        if not self._pending:
            raise token.wrong("this ) closes nothing")
        opened = self._pending.pop()
        if not opened.count:
            return
        self._end_argument(opened)
        function = FUNCTIONS[opened.symbol]
        if not function.least <= opened.count <= function.most:
            raise opened.token.wrong(f"{opened.symbol}() takes {function.arguments}, not {opened.count}")
        self._nodes.append(Call(opened.symbol, opened.count, opened.token.span))

    def _end_argument(self, call: _Pending) -> None:
        last = self._nodes[-1]
        alone = len(self._nodes) - call.begins == 1
        if alone and call.symbol in DATE_FUNCTIONS and isinstance(last, Text) and last.value in _MOMENTS:
            self._nodes[-1] = Clock(last.value, quoted=True, span=last.span)

    def _end(self) -> None:
        self._settle(0)
        if self._pending:
            raise self._pending[-1].token.wrong(f"the parenthesis of {self._pending[-1].token.text} is never closed")
