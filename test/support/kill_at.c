/*
 * Preloaded into a process (LD_PRELOAD), it kills that with SIGKILL at a call that the environment names, before the call is made: so a test
 * hits the same moment on every machine. KILL_CALL: write, rename or link. KILL_PATH: a part of the path of the file.
 * KILL_NTH: at which of these calls, from 1.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int calls;

static void at_path(const char *call, const char *path) {
  const char *wanted = getenv("KILL_CALL");
  const char *part = getenv("KILL_PATH");
  if (wanted == NULL || part == NULL || strcmp(wanted, call) != 0) return;
  if (strstr(path, part) == NULL) return;
  const char *nth = getenv("KILL_NTH");
  if (atomic_fetch_add(&calls, 1) + 1 != (nth == NULL ? 1 : atoi(nth))) return;
  kill(getpid(), SIGKILL);
}

static void at_file(const char *call, int file) {
  if (getenv("KILL_CALL") == NULL) return;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return;
  path[length] = 0;
  at_path(call, path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int file, const void *bytes, size_t length) {
  at_file("write", file);
  return REAL(write)(file, bytes, length);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
  at_file("write", file);
  return REAL(writev)(file, parts, count);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t position) {
  at_file("write", file);
  return REAL(pwrite64)(file, bytes, length, position);
}

ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t position) {
  at_file("write", file);
  return REAL(pwritev64)(file, parts, count, position);
}

int rename(const char *from, const char *to) {
  at_path("rename", to);
  return REAL(rename)(from, to);
}

int link(const char *from, const char *to) {
  at_path("link", to);
  return REAL(link)(from, to);
}
