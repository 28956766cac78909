"""The one thing setup.cfg cannot say: the session's C shim, which needs no R headers."""

from glob import glob

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "rsession._shim",
            ["rsession/_shim.c", *sorted(glob("rsession/shim/*.c"))],
            depends=sorted(glob("rsession/shim/*.h")),
            extra_compile_args=[
                "-std=c11",
                "-O2",
                "-Wall",
                "-Wextra",
                "-Wno-unused-parameter",
                "-Wno-missing-field-initializers",
            ],
            libraries=["dl", "pthread"],
        )
    ]
)
