"""Build of the compiled kernels; everything else about the package is in pyproject.toml.

Each ``_ext/NAME.pyx`` becomes the module ``asrproto._kernels.NAME``. The C files that it needs are named in its own
first lines (``# distutils: sources = ...``), so a new kernel needs no change here.

Switches, all environment variables:

``ASRPROTO_SANITIZE=1``  AddressSanitizer and UndefinedBehaviorSanitizer
``ASRPROTO_DEBUG=1``     no optimisation, assertions and debug symbols
``ASRPROTO_COVERAGE=1``  line tracing of the Cython sources
"""

import os
import sys
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext


def switch(name: str) -> bool:
    return os.environ.get(f"ASRPROTO_{name}", "") not in ("", "0")


SANITIZE, DEBUG, COVERAGE = switch("SANITIZE"), switch("DEBUG"), switch("COVERAGE")

# Results must not depend on the compiler's liberties: no contraction of a*b+c unless the source asks for fma.
GNU_CFLAGS = ["-std=c11", "-O3", "-ffp-contract=off", "-fvisibility=hidden", "-Wall", "-Wextra",
              "-Wno-unused-parameter", "-Wno-missing-field-initializers", "-Wno-cast-function-type"]
MSVC_CFLAGS = ["/O2", "/std:c11", "/fp:precise"]
SANITIZER_FLAGS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer", "-g"]


def flags(compiler_type: str) -> tuple[list[str], list[str]]:
    """Compiler and linker flags for one kind of compiler ("msvc" or one that understands GNU options)."""
    if compiler_type == "msvc":
        return MSVC_CFLAGS, []
    compile_args, link_args = list(GNU_CFLAGS), []
    if sys.platform.startswith("linux") and not (DEBUG or SANITIZE):
        link_args.append("-Wl,--strip-debug")
    if DEBUG:
        compile_args += ["-O0", "-g", "-UNDEBUG"]
    if SANITIZE:
        compile_args += ["-O1", *SANITIZER_FLAGS]
        link_args += SANITIZER_FLAGS
    return compile_args, link_args


class BuildKernels(build_ext):
    def build_extensions(self) -> None:
        compile_args, link_args = flags(self.compiler.compiler_type)
        for extension in self.extensions:
            extension.extra_compile_args += compile_args
            extension.extra_link_args += link_args
        super().build_extensions()


def kernels() -> list[Extension]:
    extensions = [
        Extension(f"asrproto._kernels.{source.stem}", [source.as_posix()], include_dirs=["_ext", numpy.get_include()],
                  depends=sorted(header.as_posix() for header in Path("_ext").glob("**/*.h")),
                  define_macros=[("CYTHON_TRACE_NOGIL", "1")] if COVERAGE else [])
        for source in sorted(Path("_ext").glob("*.pyx"))
    ]
    return cythonize(
        extensions,
        build_dir="build/cython",
        compiler_directives={
            "language_level": 3,
            "freethreading_compatible": True,
            "embedsignature": True,
            "linetrace": COVERAGE,
        },
    )


setup(ext_modules=kernels(), cmdclass={"build_ext": BuildKernels})
