"""Layers stay in their place: includes go down only, pure layers ask the system for nothing, public headers need nobody.

Usage: check.py SOURCE_DIR BUILD_DIR CXX
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

ORDER = ["core", "crypto", "files", "wire", "link", "overlay", "e2e", "net", "tcpip", "http", "router", "msgpack",
         "convergecast", "mcp", "a2a", "pubsub", "services", "bridge", "node", "patterns"]
PURE = {"core", "crypto", "wire", "link", "overlay", "e2e", "router", "msgpack", "convergecast", "mcp", "a2a", "pubsub"}
# What a pure layer may not include, and may not leave for the linker to find.
FOREIGN_HEADERS = re.compile(r"#include [<\"](asio|openssl/|llhttp|lwip/|sys/|netinet/|arpa/|unistd|thread|mutex|condition_variable)")
FOREIGN_SYMBOLS = re.compile(
    r"^(socket|connect|bind|listen|accept4?|sendto|recvfrom|send|recv|clock_gettime|gettimeofday|time|getrandom|"
    r"pthread_mutex_lock|pthread_create|_ZNSt6chrono3_V212(steady|system)_clock3nowEv)$")
# What pure layers include nevertheless: pages of memory, as an allocator asks for them; OpenSSL's Poly1305.
EXCEPTIONS = {("lib/core/room.cpp", "<sys/mman.h>"), ("lib/crypto/one_time_mac.cpp", "<openssl/err.h>"),
              ("lib/crypto/one_time_mac.cpp", "<openssl/evp.h>")}
STANDARD = set("""algorithm array atomic bit charconv chrono compare cstddef cstdint cstdlib cstring functional memory optional
random span string string_view system_error type_traits utility variant vector""".split())


def layer_sources(source, layer):
    return [p for p in (source / "lib" / layer).rglob("*") if p.suffix in {".hpp", ".cpp", ".h"}]


def check_includes(source, faults):
    for layer in ORDER:
        for path in layer_sources(source, layer):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                where = f"{path.relative_to(source)}:{number}"
                found = re.match(r'#include "([a-z0-9]+)/', line)
                if found and found.group(1) in ORDER and ORDER.index(found.group(1)) > ORDER.index(layer):
                    faults.append(f"{where}: {layer} includes {found.group(1)}, which stands above it")
                excepted = (path.relative_to(source).as_posix(), line.removeprefix("#include ")) in EXCEPTIONS
                if layer in PURE and FOREIGN_HEADERS.match(line) and not excepted:
                    faults.append(f"{where}: a pure layer includes {line.split()[1]}")


def check_symbols(source, build, faults):
    for layer in sorted(PURE):
        library = build / "lib" / layer / f"libaxl_{layer}.a"
        if not library.exists():
            faults.append(f"{library} is not built")
            continue
        out = subprocess.run(["nm", "-u", str(library)], capture_output=True, text=True, check=True).stdout
        for line in out.splitlines():
            name = line.split()[-1].split("@")[0] if line.split() else ""
            if FOREIGN_SYMBOLS.match(name):
                faults.append(f"axl_{layer} is pure and needs {name}")


def check_log_hook(source, faults):
    """Text from outside is escaped in one place, so nothing else may call the hook."""
    for path in (source / "lib").rglob("*"):
        if path.suffix in {".hpp", ".cpp"} and path != source / "lib" / "core" / "logger.hpp":
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if re.search(r"\bLogHook\b|\bconfig_?\.log\(|\bhook_\(", line):
                    faults.append(f"{path.relative_to(source)}:{number}: the log hook is called by axl::Logger only")


def compilers(compiler):
    """The build's own, and whatever else is here: name and the first words of a command."""
    found = [("the compiler of this build", [compiler])]
    if shutil.which("g++") and os.path.realpath(shutil.which("g++")) != os.path.realpath(shutil.which(compiler)):
        found.append(("g++", ["g++"]))
    if shutil.which("clang++"):
        found.append(("clang++", ["clang++"]))
        libcxx = ["clang++", "-stdlib=libc++"]
        if subprocess.run([*libcxx, "-fsyntax-only", "-xc++", "-"], input="#include <span>\n", capture_output=True, text=True).returncode == 0:
            found.append(("clang++ with libc++", libcxx))
    return found


def preprocessed(command, source, text):
    """The files that are read for `text`."""
    run = subprocess.run([*command, "-std=c++20", "-M", f"-I{source / 'include'}", "-xc++", "-"], input=text, capture_output=True,
                         text=True, check=True)
    return {pathlib.Path(os.path.realpath(path)) for path in run.stdout.replace("\\\n", " ").split() if path.startswith("/")}


def check_public_headers(source, compiler, faults):
    """Each compiles alone, without exceptions and RTTI, and leads to nothing that the standard library does not lead to."""
    folder = source / "include" / "axl"
    headers = [header for header in sorted(folder.glob("*.hpp")) if header.name != "asio.hpp"]
    for header in headers:
        for line in header.read_text().splitlines():
            found = re.match(r"#include [<\"]([^>\"]+)[>\"]", line)
            if found and not found.group(1).startswith("axl/") and found.group(1) not in STANDARD:
                faults.append(f"include/axl/{header.name} includes {found.group(1)}")
    for name, command in compilers(compiler):
        standard = preprocessed(command, source, "".join(f"#include <{header}>\n" for header in sorted(STANDARD)))
        everything = "".join(f"#include <axl/{header.name}>\n" for header in headers)
        foreign = preprocessed(command, source, everything) - standard - {path.resolve() for path in headers}
        faults.extend(f"public headers lead to {path} ({name})" for path in sorted(foreign))
        for header in headers:
            unit = f"#include <axl/{header.name}>\nint main() {{}}\n"
            run = subprocess.run([*command, "-std=c++20", "-fsyntax-only", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra", "-Wpedantic",
                                  "-Wshadow", "-Wconversion", "-Werror", f"-I{source / 'include'}", "-xc++", "-"],
                                 input=unit, capture_output=True, text=True)
            if run.returncode != 0:
                faults.append(f"include/axl/{header.name} does not compile alone with {name}:\n{run.stderr}")
        print(f"{len(headers)} public headers with {name}, which lead to at most {len(standard)} files of the standard library")


def check_version(source, faults):
    """The headers and the build name one version."""
    built = re.search(r"project\(axl VERSION ([\d.]+)", (source / "CMakeLists.txt").read_text())[1]
    header = (source / "include" / "axl" / "version.hpp").read_text()
    parts = [re.search(rf"AXL_VERSION_{part} (\d+)", header)[1] for part in ("MAJOR", "MINOR", "PATCH")]
    spelled = re.search(r'kVersion = "([\d.]+)"', header)[1]
    if not built == spelled == ".".join(parts):
        faults.append(f"version.hpp says {spelled} and {parts}, CMakeLists.txt {built}")


def main():
    source, build, compiler = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    faults = []
    check_includes(source, faults)
    check_symbols(source, build, faults)
    check_log_hook(source, faults)
    check_public_headers(source, compiler, faults)
    check_version(source, faults)
    for fault in faults:
        print(fault)
    print(f"layering: {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
