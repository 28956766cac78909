"""The one thing setup.cfg cannot say: the session's C shim, which needs no R headers."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "rsession._shim",
            ["rsession/_shim.c"],
            extra_compile_args=["-std=c11", "-O2", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-missing-field-initializers"],
            libraries=["dl", "pthread"],
        )
    ]
)
