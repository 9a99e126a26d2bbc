"""What can be wrong with a formula."""


class LogicError(ValueError):
    """A formula cannot be read or evaluated; `line` and `column` count from 1."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        self.message = message
        self.line = line
        self.column = column
        super().__init__(f"line {line}, column {column}: {message}")
