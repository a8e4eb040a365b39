"""A reader of pickles that executes nothing: it knows plain values, and keeps whatever else a pickle names as a note.

Python's own unpickler imports modules and calls what a pickle tells it to. This one reads the same instructions (the
standard library's `pickletools` takes them apart) and builds lists, dicts, tuples, texts and numbers alone. A name of a
class or function becomes a `Name`, a call a `Call`: others look at these and take from them what they know.
"""

import io
import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

MAX_INSTRUCTIONS = 500_000
"""More than this has no file of a generator, which has some thousands."""
PLAIN_KEYS = (str, int, float, bytes, bool, type(None))
"""Types of keys of a dict. A tuple nested a million times would exhaust the stack when it is hashed."""
DAMAGED = "it is damaged or cut off"


class BadPickle(ValueError):
    """A pickle that cannot be read, in a sentence."""


@dataclass(frozen=True)
class Name:
    """A class or function that a pickle names. It is never imported."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False)
class Call:
    """A call that a pickle asks for, and what it would do with the result. It is never made."""

    function: Name | None
    """None for something else than a name: a tuple nested a million times would exhaust the stack when it is hashed."""
    arguments: Any
    state: Any = None
    """What the object would be given as its attributes."""
    items: dict[Any, Any] = field(default_factory=dict)
    """What it would hold, if it is a kind of dict."""
    values: list[Any] = field(default_factory=list)
    """What it would hold, if it is a kind of list."""


@dataclass(frozen=True, eq=False)
class Persistent:
    """Something that lies outside of the pickle, such as the numbers of a tensor."""

    key: Any


class Mark:
    """The place on the stack where the parts of a list, dict or tuple begin."""


MARK = Mark()
DICTS = (Name("collections", "OrderedDict"), Name("builtins", "dict"))
"""Classes that are read as a plain dict."""
CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
LITERALS = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8"),
}
"""Instructions that say a number, a text or bytes."""
NOTHING = frozenset({"PROTO", "FRAME", "STOP"})


@dataclass(frozen=True)
class Pickle:
    """What a pickle holds, and everything outside of it that it names."""

    content: Any
    persistent: list[Persistent]


def read_pickle(file: BinaryIO) -> Pickle:
    """Read one pickle from a file, which then stands behind it. Raises `BadPickle`, and runs nothing of it."""
    machine = Machine()
    try:
        for count, (code, argument, _) in enumerate(pickletools.genops(cast(BinaryIO, Bounded(file)))):
            if count > MAX_INSTRUCTIONS:
                raise BadPickle(f"it has more than {MAX_INSTRUCTIONS:,} instructions")
            machine.follow(code.name, argument)
        return Pickle(machine.stack[-1], machine.persistent)
    except BadPickle:
        raise
    except (ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise BadPickle(DAMAGED) from error


class Bounded:
    """A file of which no more is asked than it has: a length in a pickle may be any number."""

    def __init__(self, file: BinaryIO) -> None:
        start = file.tell()
        self.file, self.end = file, file.seek(0, io.SEEK_END)
        file.seek(start)
        self.readline, self.tell = file.readline, file.tell

    def read(self, size: int) -> bytes:
        """Return so many bytes. Raises `BadPickle` where there are fewer."""
        if size > self.end - self.tell():
            raise BadPickle(DAMAGED)
        return self.file.read(size)


class Machine:
    """The stack and the memory that the instructions of a pickle work on."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memory: dict[int, Any] = {}
        self.persistent: list[Persistent] = []

    def follow(self, name: str, argument: Any) -> None:
        """Follow one instruction. Raises `BadPickle` for one that it does not know."""
        if name in NOTHING:
            return
        if name in LITERALS:
            self.stack.append(argument)
        elif name in CONSTANTS:
            self.stack.append(CONSTANTS[name])
        elif name in MEMORY:
            MEMORY[name](self, argument)
        elif name in BUILD:
            BUILD[name](self)
        else:
            raise BadPickle(f"it has the instruction {name}, which files of weights do not have")

    def since_mark(self) -> list[Any]:
        """Take what lies on the stack above the last mark, and the mark."""
        place = len(self.stack) - 1
        while self.stack[place] is not MARK:
            place -= 1
            if place < 0:
                raise BadPickle(DAMAGED)
        found = self.stack[place + 1 :]
        del self.stack[place:]
        return found

    def name(self, argument: str) -> None:
        """Note the name of a class or function, written as "module name"."""
        module, _, name = argument.partition(" ")
        self.stack.append(Name(module, name))

    def name_from_stack(self) -> None:
        """Note a name whose two parts lie on the stack."""
        name, module = self.stack.pop(), self.stack.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise BadPickle(DAMAGED)
        self.stack.append(Name(module, name))

    def call(self, function: Any, arguments: Any) -> None:
        """Note a call; of a plain dict without arguments make one. What is called is known only where it is named."""
        named = function if isinstance(function, Name) else None
        self.stack.append({} if named in DICTS and arguments == () else Call(named, arguments))

    def reduce(self) -> None:
        """Note a call of what lies on the stack below its arguments."""
        arguments, function = self.stack.pop(), self.stack.pop()
        self.call(function, arguments)

    def new_with_names(self) -> None:
        """Note the making of an object with arguments by place and by name."""
        _, arguments, cls = self.stack.pop(), self.stack.pop(), self.stack.pop()
        self.call(cls, arguments)

    def new_from_mark(self) -> None:
        """Note the making of an object whose class and arguments lie above the mark."""
        cls, *arguments = self.since_mark()
        self.call(cls, tuple(arguments))

    def new_named(self, argument: str) -> None:
        """Note the making of an object of a class that the instruction names."""
        module, _, name = argument.partition(" ")
        self.call(Name(module, name), tuple(self.since_mark()))

    def point_outside(self, key: Any) -> None:
        """Note something that lies outside of the pickle."""
        self.persistent.append(Persistent(key))
        self.stack.append(self.persistent[-1])

    def set_state(self) -> None:
        """Note the attributes of the object below them on the stack."""
        state = self.stack.pop()
        if isinstance(self.stack[-1], Call):
            self.stack[-1].state = state

    def append(self, values: list[Any]) -> None:
        """Add values to the list below them on the stack."""
        target = self.stack[-1]
        found = target.values if isinstance(target, Call) else target
        if not isinstance(found, list):
            raise BadPickle(DAMAGED)
        found.extend(values)

    def set_items(self, flat: list[Any]) -> None:
        """Add keys and values, which alternate, to the dict below them on the stack."""
        target = self.stack[-1]
        table = target.items if isinstance(target, Call) else target
        if not isinstance(table, dict):
            raise BadPickle(DAMAGED)
        table.update(pairs(flat))


def pairs(flat: list[Any]) -> dict[Any, Any]:
    """Return a dict of keys and values that alternate. Raises `BadPickle` for a key that is not text or a number."""
    keys = flat[::2]
    if not all(isinstance(key, PLAIN_KEYS) for key in keys):
        raise BadPickle("a key of one of its tables is neither text nor a number")
    return dict(zip(keys, flat[1::2], strict=True))


MEMORY: dict[str, Callable[[Machine, Any], None]] = {
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda the, place: the.stack.append(the.memory[place])),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), lambda the, place: the.memory.update({place: the.stack[-1]})),
    "MEMOIZE": lambda the, _: the.memory.update({len(the.memory): the.stack[-1]}),
    "GLOBAL": Machine.name,
    "INST": Machine.new_named,
    "PERSID": Machine.point_outside,
}
"""Instructions with an argument, or about the memory."""
BUILD: dict[str, Callable[[Machine], None]] = {
    "MARK": lambda the: the.stack.append(MARK),
    "POP": lambda the: void(the.stack.pop()),
    "POP_MARK": lambda the: void(the.since_mark()),
    "DUP": lambda the: the.stack.append(the.stack[-1]),
    **dict.fromkeys(("EMPTY_LIST", "EMPTY_SET"), lambda the: the.stack.append([])),
    **dict.fromkeys(("LIST", "FROZENSET"), lambda the: the.stack.append(the.since_mark())),
    "APPEND": lambda the: the.append([the.stack.pop()]),
    **dict.fromkeys(("APPENDS", "ADDITEMS"), lambda the: the.append(the.since_mark())),
    "EMPTY_TUPLE": lambda the: the.stack.append(()),
    "TUPLE": lambda the: the.stack.append(tuple(the.since_mark())),
    **{
        f"TUPLE{size}": (lambda the, size=size: the.stack.append(tuple(take(the.stack, size))))  # type: ignore[misc]
        for size in (1, 2, 3)
    },
    "EMPTY_DICT": lambda the: the.stack.append({}),
    "DICT": lambda the: the.stack.append(pairs(the.since_mark())),
    "SETITEM": lambda the: the.set_items(take(the.stack, 2)),
    "SETITEMS": lambda the: the.set_items(the.since_mark()),
    "STACK_GLOBAL": Machine.name_from_stack,
    "REDUCE": Machine.reduce,
    "NEWOBJ": Machine.reduce,
    "NEWOBJ_EX": Machine.new_with_names,
    "OBJ": Machine.new_from_mark,
    "BUILD": Machine.set_state,
    "BINPERSID": lambda the: the.point_outside(the.stack.pop()),
}
"""Instructions about the stack alone."""


def take(stack: list[Any], count: int) -> list[Any]:
    """Take that many values from the top of a stack. Raises `BadPickle` where there are fewer."""
    if len(stack) < count:
        raise BadPickle(DAMAGED)
    found = stack[-count:]
    del stack[-count:]
    return found


def void(value: object) -> None:
    """Drop a value."""
