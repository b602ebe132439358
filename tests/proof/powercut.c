// Preloaded into the sender: remembers how to take back what was written to the ledger since the last
// sync, so that a power cut can be acted out; and notes the order of syncs and final dots.
//
//   gcc -O2 -shared -fPIC -o powercut.so powercut.c -ldl
//   LD_PRELOAD=./powercut.so POWERCUT_UNDO=DIR POWERCUT_ORDER=FILE letterpress send ...
//
// DIR gets one file for each part of the ledger: records of (offset, length of the old content, old size of
// the file, old content), cleared at each sync. `powercut.py` applies them backwards.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int undo[4096];     // descriptor of the ledger -> descriptor of its undo file, plus 1
static char known[4096];   // whether we have looked at this descriptor
static int progress[4096]; // how much of "\r\n.\r\n" was written to it last
static int noted[4096];    // dots that were noted and that the kernel has not taken yet

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

static void note(const char *what) {
  const char *path = getenv("POWERCUT_ORDER");
  if (!path) return;
  int fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (fd < 0) return;
  syscall(SYS_write, fd, what, strlen(what));
  syscall(SYS_close, fd);
}

static int undo_of(int fd) {
  if (fd < 0 || fd >= 4096) return -1;
  if (!known[fd]) {
    known[fd] = 1;
    undo[fd] = 0;
    const char *folder = getenv("POWERCUT_UNDO");
    char link[64], path[PATH_MAX], name[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (!folder || length < 0) return -1;
    path[length] = 0;
    const char *base = strrchr(path, '/');
    if (!base || (strcmp(base, "/ledger.db") && strcmp(base, "/ledger.db-wal"))) return -1;
    snprintf(name, sizeof name, "%s%s", folder, base);
    int made = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (made >= 0) undo[fd] = made + 1;
  }
  return undo[fd] - 1;
}

static void remember(int fd, uint64_t offset, uint64_t length) {
  int to = undo_of(fd);
  if (to < 0) return;
  struct stat state;
  if (fstat(fd, &state)) return;
  uint64_t size = state.st_size;
  uint64_t old = offset >= size ? 0 : (offset + length > size ? size - offset : length);
  uint64_t head[3] = {offset, old, size};
  char *record = malloc(sizeof head + old);
  memcpy(record, head, sizeof head);
  // The descriptor may be open for writing alone.
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  int reader = syscall(SYS_openat, AT_FDCWD, link, O_RDONLY, 0);
  uint64_t got = 0;
  while (got < old) {
    ssize_t part = syscall(SYS_pread64, reader, record + sizeof head + got, old - got, offset + got);
    if (part <= 0) break;
    got += part;
  }
  syscall(SYS_close, reader);
  syscall(SYS_write, to, record, sizeof head + old);
  free(record);
}

static void synced(int fd) {
  int to = undo_of(fd);
  if (to < 0) return;
  syscall(SYS_ftruncate, to, 0);
  note("sync\n");
}

static ssize_t write_at(const char *name, int fd, const void *bytes, size_t length, off_t offset) {
  ssize_t (*next)(int, const void *, size_t, off_t) = real(name);
  pthread_mutex_lock(&lock);
  remember(fd, offset, length);
  ssize_t written = next(fd, bytes, length, offset);
  pthread_mutex_unlock(&lock);
  return written;
}
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) { return write_at("pwrite", fd, b, n, o); }
ssize_t pwrite64(int fd, const void *b, size_t n, off_t o) { return write_at("pwrite64", fd, b, n, o); }

static int truncate_to(const char *name, int fd, off_t size) {
  int (*next)(int, off_t) = real(name);
  pthread_mutex_lock(&lock);
  struct stat state;
  if (undo_of(fd) >= 0 && !fstat(fd, &state) && state.st_size > size) remember(fd, size, state.st_size - size);
  int result = next(fd, size);
  pthread_mutex_unlock(&lock);
  return result;
}
int ftruncate(int fd, off_t size) { return truncate_to("ftruncate", fd, size); }
int ftruncate64(int fd, off_t size) { return truncate_to("ftruncate64", fd, size); }

static int sync_by(const char *name, int fd) {
  int (*next)(int) = real(name);
  pthread_mutex_lock(&lock);
  int result = next(fd);
  if (!result) synced(fd);
  pthread_mutex_unlock(&lock);
  return result;
}
int fsync(int fd) { return sync_by("fsync", fd); }
int fdatasync(int fd) { return sync_by("fdatasync", fd); }

int close(int fd) {
  int (*next)(int) = real("close");
  if (fd >= 0 && fd < 4096) {
    pthread_mutex_lock(&lock);
    if (known[fd] && undo[fd]) syscall(SYS_close, undo[fd] - 1);
    known[fd] = 0;
    undo[fd] = 0;
    progress[fd] = 0;
    noted[fd] = 0;
    pthread_mutex_unlock(&lock);
  }
  return next(fd);
}

// Final dots in what goes out on a descriptor, wherever the writes are cut: a dot may lie in the middle of
// one, as the envelope of the next mail rides behind it. It is noted before the kernel has it, so that no
// sync of another thread can slip between; what a short write left over is not noted again.
static int step(int state, char c) {
  const char *dot = "\r\n.\r\n";
  while (state && dot[state] != c) state = state == 4 ? 1 : 0;
  return dot[state] == c ? state + 1 : 0;
}

// Goes over at most `length` octets; says how many dots they end.
static int dots(int *state, const struct iovec *v, int n, size_t length) {
  int found = 0;
  for (int i = 0; i < n; i++)
    for (size_t at = 0; at < v[i].iov_len && length; at++, length--)
      if ((*state = step(*state, ((const char *)v[i].iov_base)[at])) == 5) {
        found++;
        *state = 2;
      }
  return found;
}

static void before(int fd, const struct iovec *v, int n) {
  if (fd < 0 || fd >= 4096) return;
  int state = progress[fd];
  for (int left = dots(&state, v, n, SIZE_MAX); noted[fd] < left; noted[fd]++) note("dot\n");
}
static ssize_t after(int fd, const struct iovec *v, int n, ssize_t written) {
  if (fd >= 0 && fd < 4096 && written > 0) noted[fd] -= dots(&progress[fd], v, n, written);
  return written;
}

ssize_t send(int fd, const void *b, size_t n, int f) {
  ssize_t (*next)(int, const void *, size_t, int) = real("send");
  struct iovec all = {(void *)b, n};
  before(fd, &all, 1);
  return after(fd, &all, 1, next(fd, b, n, f));
}
ssize_t sendto(int fd, const void *b, size_t n, int f, const struct sockaddr *a, socklen_t l) {
  ssize_t (*next)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) = real("sendto");
  struct iovec all = {(void *)b, n};
  before(fd, &all, 1);
  return after(fd, &all, 1, next(fd, b, n, f, a, l));
}
ssize_t write(int fd, const void *b, size_t n) {
  ssize_t (*next)(int, const void *, size_t) = real("write");
  struct iovec all = {(void *)b, n};
  before(fd, &all, 1);
  return after(fd, &all, 1, next(fd, b, n));
}
ssize_t writev(int fd, const struct iovec *v, int n) {
  ssize_t (*next)(int, const struct iovec *, int) = real("writev");
  before(fd, v, n);
  return after(fd, v, n, next(fd, v, n));
}
