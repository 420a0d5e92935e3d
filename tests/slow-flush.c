// Makes every flush to disk take SLOW_FLUSH_US microseconds longer, as on a slower disk: for `just bench-slow-flush`.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

typedef int (*flush)(int);

static int slowly(const char *name, int file) {
    const char *delay = getenv("SLOW_FLUSH_US");
    usleep(delay ? (useconds_t)atoi(delay) : 0);
    return ((flush)dlsym(RTLD_NEXT, name))(file);
}

int fsync(int file) { return slowly("fsync", file); }
int fdatasync(int file) { return slowly("fdatasync", file); }
