"""What setup.cfg cannot say: C parts, which are the session's shim (no R headers), and of proxy and rserver-acls."""

from glob import glob

from setuptools import Extension, setup

_ARGUMENTS = ["-O2", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-missing-field-initializers"]
# For what runs with privileges.
_HARDENED = ["-Wconversion", "-Wshadow", "-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"]

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
        Extension(
            "rserver_acls._native",
            ["rserver_acls/_native.c", *sorted(glob("rserver_acls/native/*.c"))],
            depends=sorted(glob("rserver_acls/native/*.h")),
            extra_compile_args=["-std=gnu11", *_ARGUMENTS, *_HARDENED],
            extra_link_args=["-Wl,-z,relro,-z,now"],
        ),
    ]
)
