"""Pickles that run a program, and the many ways in which they can ask for one.

Each makes a file called the canary, or would with an unpickler that obeys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pickles_by_hand import (
    GOOD,
    ORDERED,
    REBUILD,
    STORAGE,
    Name,
    called,
    constant,
    in_a_dict,
    stored,
    tensor,
    text,
)

if TYPE_CHECKING:
    from pathlib import Path

SYSTEM = Name("os", "system")

_NAMES = """
os.execv os.execlp os.spawnv os.posix_spawn os.remove os.unlink os.rename os.putenv os.kill
posix.system posix.fork posix.execv nt.system pty.spawn platform.popen commands.getoutput
subprocess.getstatusoutput asyncio.create_subprocess_shell multiprocessing.util.spawnv_passfds
builtins.compile builtins.__import__ builtins.globals builtins.vars builtins.breakpoint
builtins.input builtins.setattr builtins.delattr __builtin__.eval __builtin__.execfile
importlib.import_module importlib.reload importlib._bootstrap._gcd_import zipimport.zipimporter
runpy.run_path runpy.run_module runpy._run_module_as_main code.interact codeop.compile_command
pdb.run pdb.Pdb bdb.Bdb.run doctest.debug_script trace.Trace.runctx cProfile.runctx
timeit.Timer profile.Profile.run marshal.loads types.CodeType types.FunctionType ctypes.CDLL
ctypes.util._findLib_gcc cffi.FFI sys.setprofile sys.settrace sys.addaudithook atexit.register
signal.signal threading.Timer socket.create_connection urllib.request.urlretrieve
http.client.HTTPSConnection ssl.get_server_certificate smtplib.SMTP ftplib.FTP webbrowser.open
shutil.rmtree shutil.move tempfile.mkdtemp pathlib.Path.write_text fileinput.FileInput
logging.config.dictConfig logging.config.listen distutils.file_util.write_file venv.create
ensurepip.bootstrap pip.main pip._internal.main pydoc.pipepager idlelib.run.Executive.runcode
lib2to3.pgen2.pgen.ParserGenerator unittest.main yaml.load yaml.unsafe_load cloudpickle.loads
dill.loads joblib.load pandas.read_pickle numpy.load numpy.f2py.crackfortran.myeval
numpy.testing._private.utils.runstring numpy.testing.runstring numpy.lib.npyio.NpzFile
torch.load torch.serialization.load torch._utils._import_dotted_name torch.hub.load
torch.hub._load_local torch.jit.load torch.jit._script.load torch.export.load
torch.package.PackageImporter
torch.utils.cpp_extension.load_inline torch.utils.collect_env.run torch.utils.model_zoo.load_url
torch.storage._load_from_bytes torch._dynamo.debug_utils.run_fwd_maybe_bwd torch.ops.load_library
torch.classes.load_library torch.multiprocessing.spawn torch.distributed.rpc.internal._run_function
torch.fx.graph_module._forward_from_src torch._inductor.codecache.compile_file torch.nn.Module
torch.optim.Adam transformers.pipeline transformers.AutoModel.from_pretrained
diffusers.DiffusionPipeline.from_pretrained safetensors.torch.load_file
sympy.parsing.sympy_parser.eval_expr
"""
NAMES = tuple(_NAMES.split())
"""Names that no list of tensors needs, from the standard library and from around torch."""


def command_of(canary: Path) -> str:
    """What a shell is told."""
    return f'touch "{canary}"'


def code_of(canary: Path) -> str:
    """What Python is told."""
    return f"open({str(canary)!r}, 'w').close()"


def firing(canary: Path) -> dict[str, bytes]:
    """Calls that Python's own unpickler obeys, each of another function."""
    command, code, path = command_of(canary), code_of(canary), str(canary)
    evaluation = called(Name("builtins", "eval"), code)
    pickled = b"\x80\x02" + evaluation + b"."
    module = called(Name("importlib", "import_module"), "os")
    run = constant((command,)) + b"R"
    simple: dict[str, tuple[object, ...]] = {
        "os.system": (command,),
        "posix.system": (command,),
        "subprocess.call": (["touch", path],),
        "subprocess.check_call": (["touch", path],),
        "subprocess.check_output": (["touch", path],),
        "subprocess.run": (["touch", path],),
        "subprocess.getoutput": (command,),
        "os.mkdir": (path,),
        "os.makedirs": (path,),
        "os.mknod": (path,),
        "os.symlink": ("/dev/null", path),
        "shutil.copyfile": ("/dev/null", path),
        "builtins.eval": (code,),
        "builtins.exec": (code,),
        "builtins.open": (path, "w"),
        "io.open": (path, "w"),
        "io.FileIO": (path, "w"),
        "codecs.open": (path, "w"),
        "gzip.open": (path, "w"),
        "bz2.open": (path, "w"),
        "lzma.open": (path, "w"),
        "tarfile.open": (path, "w"),
        "zipfile.ZipFile": (path, "w"),
        "logging.FileHandler": (path,),
        "cProfile.run": (code,),
        "timeit.timeit": (code, "pass", Name("time", "perf_counter"), 1),
        "pickle.loads": (pickled,),
        "_pickle.loads": (pickled,),
        "operator.call": (SYSTEM, command),
    }
    gadgets = {
        name: called(Name(*name.rsplit(".", 1)), *arguments) for name, arguments in simple.items()
    }
    for name, arguments in {
        "builtins.map": (SYSTEM, [command]),
        "builtins.filter": (SYSTEM, [command]),
        "itertools.starmap": (SYSTEM, [(command,)]),
    }.items():
        iterator = called(Name(*name.rsplit(".", 1)), *arguments)
        gadgets[name] = Name("builtins", "list").global_() + b"(" + iterator + b"tR"
    gadgets |= {
        "functools.partial": called(Name("functools", "partial"), SYSTEM, command) + b")R",
        "builtins.getattr": (
            Name("builtins", "getattr").global_() + b"(" + module + text("system") + b"tR" + run
        ),
        "operator.attrgetter": (
            called(Name("operator", "attrgetter"), "system") + b"(" + module + b"tR" + run
        ),
        "operator.methodcaller": (
            called(Name("operator", "methodcaller"), "system", command) + b"(" + module + b"tR"
        ),
    }
    return {name: in_a_dict(gadget) for name, gadget in gadgets.items()}


def named(canary: Path) -> dict[str, bytes]:
    """Calls of all `NAMES`, whether they would do anything or not."""
    return {
        name: in_a_dict(called(Name(*name.rsplit(".", 1)), command_of(canary))) for name in NAMES
    }


def forms(canary: Path) -> dict[str, bytes]:
    """Ways to call one and the same function; those whose names begin with "!" always do."""
    command = command_of(canary)
    argument, run = text(command), constant((command,)) + b"R"
    system, ordered = SYSTEM.global_(), ORDERED.global_() + b")R"
    evil = system + run
    from_type = Name("torch._tensor", "_rebuild_from_type_v2")
    whole: dict[str, bytes] = {
        "! before the tensors": b"\x80\x02" + evil + b"0" + GOOD[2:],
        "! before a broken end": b"\x80\x02" + evil + b"\xff\xff\xff",
        "! before nothing": b"\x80\x02" + evil,
        "! alone": b"\x80\x02" + evil + b".",
        "! in protocol 0": b"cos\nsystem\n(S" + repr(command).encode() + b"\ntR.",
        "! in a frame": (b"\x80\x04\x95" + len(evil).to_bytes(8, "little") + in_a_dict(evil)[2:]),
        "of a protocol of the future": b"\x80\x63" + in_a_dict(evil)[2:],
    }
    values = {
        "! by STACK_GLOBAL": SYSTEM.stack_global() + run,
        "! by INST": b"(" + argument + b"ios\nsystem\n",
        "! by OBJ": b"(" + system + argument + b"o",
        "! out of the memo": system + b"q\x000h\x00" + run,
        "! out of a memo written twice": ORDERED.global_()
        + b"q\x000"
        + system
        + b"q\x000h\x00"
        + run,
        "! out of a memo of four bytes": system + b"r\xff\x00\x00\x000j\xff\x00\x00\x00" + run,
        "! twice on the stack": system + b"2" + run + b"0" + run,
        "! by a name with dots": text("os") + text("path.os.system") + b"\x93" + run,
        "! by way of torch": text("torch") + text("os.system") + b"\x93" + run,
        "! by way of collections": text("collections") + text("_sys.modules") + b"\x93",
        "! in a list": b"]" + evil + b"a",
        "! in a tuple": evil + b"\x85",
        "! as a name": b"}" + evil + tensor() + b"s",
        "by NEWOBJ": Name("subprocess", "Popen").global_() + constant((command,)) + b"\x81",
        "by NEWOBJ_EX": Name("subprocess", "Popen").global_() + b")}\x92",
        "by BUILD": ordered + b"}" + text("hooks") + evil + b"sb",
        "by BUILD of a gadget": Name("logging", "Handler").global_() + b")\x81}b",
        "by an extension": b"\x82\x01",
        "by an extension of four bytes": b"\x84\x01\x00\x00\x00",
        "by a persistent name": b"P" + command.encode() + b"\n",
        "as the place of numbers": (
            b"(" + text("storage") + STORAGE.global_() + evil + text("cpu") + b"K\x04tQ"
        ),
        "as the kind of numbers": (
            b"(" + text("storage") + system + text("0") + text("cpu") + b"K\x04tQ"
        ),
        "as hooks": tensor(hooks=evil),
        "as an offset": REBUILD.global_() + b"(" + stored() + evil + constant(((4,), (1,))) + b"tR",
        "by a subclass": called(from_type, SYSTEM, Name("torch", "Tensor"), (command,), None),
        "by a state of a subclass": called(
            from_type, REBUILD, Name("builtins", "eval"), (), {"__setstate__": SYSTEM}
        ),
        "as a state of a parameter": called(
            Name("torch._utils", "_rebuild_parameter_with_state"), SYSTEM, True, [], SYSTEM
        ),
        "as a wrapper": called(Name("torch._utils", "_rebuild_wrapper_subclass"), SYSTEM),
        "by numpy": called(Name("torch._utils", "_rebuild_device_tensor_from_numpy"), SYSTEM),
        "by globals": text("torch._utils") + text("_rebuild_tensor_v2.__globals__") + b"\x93",
        "by a class of a class": text("collections")
        + text("OrderedDict.__class__")
        + b"\x93"
        + run,
        "with a space before it": b"c os\nsystem\n" + run,
        "with the line ends of Windows": b"cos\r\nsystem\r\n" + run,
        "in capitals": b"cOS\nSystem\n" + run,
        "with a module of no name": b"c\nsystem\n" + run,
        "with a name that is no text": b"c\xff\xfe\n\xff\n" + run,
    }
    made = whole | {name: in_a_dict(value) for name, value in values.items()}
    # Names with dots are of protocol 4 on.
    return {
        name: b"\x80\x04" + data[2:] if b"\x93" in data else data for name, data in made.items()
    }
