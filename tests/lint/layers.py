#!/usr/bin/python3
"""lint.layers - a layer includes only the layers that its row names, and each library is included in one place only."""
import re

import source

BELOW_NET = ["base", "kernels", "ingest", "journal", "sim", "engine", "script", "store", "alert"]
LAYERS = {
    "base": [],
    "kernels": ["base"],
    "ingest": ["base"],
    "journal": ["base"],
    "sim": ["base"],
    "engine": ["base", "kernels", "journal"],
    "script": ["base", "kernels", "engine"],
    "store": ["base"],
    "alert": ["base", "store"],
    "feed": ["base", "ingest"],
    "net": BELOW_NET,
    "tool": BELOW_NET + ["feed", "net"],
    "main": BELOW_NET + ["feed", "net", "tool"],
}

# The first part of a library's header, and the paths below src/ that may include it.
LIBRARIES = {
    "hiredis": ["store/redis"],
    "mongoc": ["store/mongo"],
    "bson": ["store/mongo"],
    "msgpack": ["ingest/decode", "store/codec"],
    "h2o": ["net/"],
    "wslay": ["net/"],
    "picotls": ["net/"],
    "openssl": ["net/", "tool/"],
    "lua": ["script/"],
    "lauxlib": ["script/"],
    "lualib": ["script/"],
    "luajit": ["script/"],
    "sqlite3": ["store/embedded"],
    "zlib": ["ingest/", "net/", "tool/", "store/codec"],
    "zstd": ["ingest/", "store/codec"],
}
# Where the C library does not do: its mathematics differ in bits between CPUs, its time zones between machines.
SYSTEM = re.compile(r"^(sys|netinet|arpa|linux|bits)/|^(assert|ctype|dirent|dlfcn|errno|fcntl|fenv|float|fts|getopt|inttypes|limits|locale|malloc|math|"
                    r"netdb|poll|pthread|sched|setjmp|signal|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|"
                    r"termios|time|ucontext|unistd|cpuid|immintrin|nmmintrin|emmintrin|smmintrin|tmmintrin|x86intrin)\.h$")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def complaint_about(path, layer, quote, header):
    first = re.split(r"[/.]", header)[0]
    if quote == '"' and first in LAYERS and "/" in header:
        if first != layer and first not in LAYERS[layer]:
            return f"{layer} may not include {first} ({header})"
        return None
    if first in LIBRARIES:
        inside = path[len("src/"):]
        if not any(inside.startswith(place) for place in LIBRARIES[first]):
            return f"{header} belongs in {' and '.join(LIBRARIES[first])}"
        return None
    if quote == "<" and SYSTEM.match(header):
        return None
    if quote == '"' and "/" not in header and header.startswith("generated_"):
        return None  # made by the build for this layer
    return f'{header} is neither "layer/file.h" nor a header that the lint knows'


def main():
    complaints = []
    for path in source.files(["src"], (".c", ".h", ".def")):
        layer = path.split("/")[1]
        if layer not in LAYERS:
            complaints.append(f"{path}: {layer} is not a layer")
            continue
        for number, line in enumerate(source.lines(path), 1):
            match = INCLUDE.match(line)
            complaint = complaint_about(path, layer, *match.groups()) if match else None
            if complaint:
                complaints.append(f"{path}:{number}: {complaint}")
    source.finish(complaints, "layers")


main()
