"""What setup.cfg cannot say: the session's C shim, which needs no R headers, and the compiled part of the proxy."""

from glob import glob

from setuptools import Extension, setup

_ARGUMENTS = ["-O2", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-missing-field-initializers"]

setup(
    ext_modules=[
        Extension(
            "rsession._shim",
            ["rsession/_shim.c", *sorted(glob("rsession/shim/*.c"))],
            depends=sorted(glob("rsession/shim/*.h")),
            extra_compile_args=["-std=c11", *_ARGUMENTS],
            libraries=["dl", "pthread"],
        ),
        Extension(
            "rserver.proxy._native",
            ["rserver/proxy/_native.c", *sorted(glob("rserver/proxy/native/*.c"))],
            depends=sorted(glob("rserver/proxy/native/*.h")),
            extra_compile_args=["-std=gnu11", *_ARGUMENTS, "-Wno-cast-function-type"],
        ),
    ]
)
