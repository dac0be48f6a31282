/* What a loss of power would take: notes which bytes of *.db and *.db-wal were written since that file's last fsync.

   Preloaded into a process. Each line of $KRS_POWER_LOG is "W <path> <offset> <length>" before a write, or "S <path>"
   after a successful sync. The notes survive a SIGKILL, since the kernel has them. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ends_with(const char *text, const char *end) {
  size_t a = strlen(text), b = strlen(end);
  return a >= b && strcmp(text + a - b, end) == 0;
}

static int watched(int fd, char *path, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, size - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return ends_with(path, ".db") || ends_with(path, ".db-wal");
}

static void note(const char *format, ...) {
  static int log_fd = -2;
  char line[4400];
  va_list values;
  if (log_fd == -2) {
    const char *name = getenv("KRS_POWER_LOG");
    log_fd = name ? open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
  }
  va_start(values, format);
  int length = vsnprintf(line, sizeof line, format, values);
  va_end(values);
  if (log_fd >= 0) syscall(SYS_write, log_fd, line, (size_t)length);
}

static ssize_t written(int fd, const void *data, size_t size, off64_t at) {
  char path[4096];
  if (watched(fd, path, sizeof path)) note("W %s %lld %zu\n", path, (long long)at, size);
  return syscall(SYS_pwrite64, fd, data, size, at);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return written(fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { return written(fd, data, size, at); }

static int synced(int fd, long call) {
  char path[4096];
  int result = (int)syscall(call, fd);
  if (result == 0 && watched(fd, path, sizeof path)) note("S %s\n", path);
  return result;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }
