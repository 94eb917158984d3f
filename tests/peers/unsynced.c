/* Loaded before the C library (LD_PRELOAD): notes in a journal what every write under $UNSYNCED_ROOT
   replaced, and every fsync. A test that kills the program then puts back all that was never synced,
   as a power cut may do (tests/harness/unsynced.rs reads the journal).
   With $UNSYNCED_DEAF, fsync is not noted: nothing counts as synced. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* One record: this head, the path, the data. */
struct head {
  uint64_t kind, inode, offset, size, path, data;
};

static int journal = -1, deaf;
static char root[PATH_MAX];
/* What is noted and what is done must come in the same order. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("UNSYNCED_JOURNAL"), *under = getenv("UNSYNCED_ROOT");
  if (!path || !under || strlen(under) >= sizeof root) return;
  strcpy(root, under);
  deaf = getenv("UNSYNCED_DEAF") != NULL;
  journal = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void note(char kind, uint64_t inode, uint64_t offset, uint64_t size, const char *path, const void *data, size_t length) {
  struct head head = {(uint64_t)kind, inode, offset, size, strlen(path), length};
  struct iovec parts[3] = {{&head, sizeof head}, {(void *)path, head.path}, {(void *)data, length}};
  int kept = errno;
  if (syscall(SYS_writev, journal, parts, 3) != (ssize_t)(sizeof head + head.path + length)) abort();
  errno = kept;
}

static int under_root(const char *path) {
  size_t length = strlen(root), all = strlen(path);
  if (journal < 0 || strncmp(path, root, length) || (path[length] && path[length] != '/')) return 0;
  /* SQLite's shared memory is made anew after a crash. */
  return all < 4 || strcmp(path + all - 4, "-shm");
}

/* Path and state of an open file that is ours. */
static int ours(int fd, char path[PATH_MAX], struct stat *state) {
  char link[64];
  if (journal < 0 || fd < 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return under_root(path) && fstat(fd, state) == 0 && (S_ISREG(state->st_mode) || S_ISDIR(state->st_mode));
}

/* Notes what stands at [offset, offset + length) before it is replaced. */
static void before(int fd, const struct stat *state, uint64_t offset, uint64_t length) {
  uint64_t size = state->st_size, old = offset < size ? (length < size - offset ? length : size - offset) : 0;
  char *data = malloc(old + 1), link[64];
  if (!data) abort();
  if (old) {
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int again = syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC, 0);
    uint64_t done = 0;
    while (again >= 0 && done < old) {
      ssize_t got = syscall(SYS_pread64, again, data + done, old - done, offset + done);
      if (got <= 0) abort();
      done += got;
    }
    if (again < 0) abort();
    syscall(SYS_close, again);
  }
  note('W', state->st_ino, offset, size, "", data, old);
  free(data);
}

static ssize_t writing(int fd, int64_t at, uint64_t length, ssize_t (*really)(int, const void *, uint64_t, int64_t), const void *what) {
  char path[PATH_MAX];
  struct stat state;
  if (!ours(fd, path, &state) || !S_ISREG(state.st_mode)) return really(fd, what, length, at);
  pthread_mutex_lock(&turn);
  fstat(fd, &state);
  int64_t offset = at;
  if (at < 0) offset = fcntl(fd, F_GETFL) & O_APPEND ? state.st_size : lseek(fd, 0, SEEK_CUR);
  before(fd, &state, offset, length);
  ssize_t done = really(fd, what, length, at);
  pthread_mutex_unlock(&turn);
  return done;
}

static ssize_t by_write(int fd, const void *what, uint64_t length, int64_t at) {
  (void)at;
  return syscall(SYS_write, fd, what, length);
}
static ssize_t by_pwrite(int fd, const void *what, uint64_t length, int64_t at) {
  return syscall(SYS_pwrite64, fd, what, length, at);
}
static __thread int parts_count;
static ssize_t by_writev(int fd, const void *what, uint64_t length, int64_t at) {
  (void)length, (void)at;
  return syscall(SYS_writev, fd, what, parts_count);
}

ssize_t write(int fd, const void *what, size_t length) { return writing(fd, -1, length, by_write, what); }
ssize_t pwrite(int fd, const void *what, size_t length, off_t at) { return writing(fd, at, length, by_pwrite, what); }
ssize_t pwrite64(int fd, const void *what, size_t length, off_t at) { return writing(fd, at, length, by_pwrite, what); }
ssize_t writev(int fd, const struct iovec *parts, int count) {
  uint64_t length = 0;
  for (int i = 0; i < count; i++) length += parts[i].iov_len;
  parts_count = count;
  return writing(fd, -1, length, by_writev, parts);
}

static int truncating(int fd, off_t to) {
  char path[PATH_MAX];
  struct stat state;
  if (!ours(fd, path, &state)) return syscall(SYS_ftruncate, fd, to);
  pthread_mutex_lock(&turn);
  fstat(fd, &state);
  before(fd, &state, to, state.st_size > to ? state.st_size - to : 0);
  int done = syscall(SYS_ftruncate, fd, to);
  pthread_mutex_unlock(&turn);
  return done;
}
int ftruncate(int fd, off_t to) { return truncating(fd, to); }
int ftruncate64(int fd, off_t to) { return truncating(fd, to); }

static int syncing(int fd, long how) {
  char path[PATH_MAX];
  struct stat state;
  if (!deaf && ours(fd, path, &state)) {
    pthread_mutex_lock(&turn);
    note(S_ISDIR(state.st_mode) ? 'D' : 'S', state.st_ino, 0, 0, path, "", 0);
    pthread_mutex_unlock(&turn);
  }
  return syscall(how, fd);
}
int fsync(int fd) { return syncing(fd, SYS_fsync); }
int fdatasync(int fd) { return syncing(fd, SYS_fdatasync); }

static int opening(int folder, const char *path, int flags, mode_t mode) {
  int watched = (flags & O_CREAT) && (flags & O_TMPFILE) != O_TMPFILE && under_root(path);
  if (!watched) return syscall(SYS_openat, folder, path, flags, mode);
  struct stat state;
  pthread_mutex_lock(&turn);
  int there = stat(path, &state) == 0;
  int fd = syscall(SYS_openat, folder, path, flags, mode);
  if (!there && fd >= 0 && fstat(fd, &state) == 0) note('C', state.st_ino, 0, 0, path, "", 0);
  pthread_mutex_unlock(&turn);
  return fd;
}

#define MODE                                                        \
  mode_t mode = 0;                                                  \
  if (flags & (O_CREAT | O_TMPFILE)) {                              \
    va_list rest;                                                   \
    va_start(rest, flags);                                          \
    mode = va_arg(rest, mode_t);                                    \
    va_end(rest);                                                   \
  }
int open(const char *path, int flags, ...) { MODE return opening(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return opening(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE return opening(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE return opening(folder, path, flags, mode); }

static int named(char kind, const char *from, const char *to, int (*really)(const char *, const char *)) {
  struct stat state;
  if (!under_root(to)) return really(from, to);
  pthread_mutex_lock(&turn);
  int known = stat(from, &state) == 0;
  int done = really(from, to);
  if (done == 0 && kind == 'M') known = stat(to, &state) == 0;
  if (done == 0 && known) note(kind, state.st_ino, 0, 0, to, kind == 'R' ? from : "", kind == 'R' ? strlen(from) : 0);
  pthread_mutex_unlock(&turn);
  return done;
}
static int by_rename(const char *from, const char *to) { return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0); }
static int by_link(const char *from, const char *to) { return syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0); }
static __thread mode_t folder_mode;
static int by_mkdir(const char *from, const char *to) {
  (void)from;
  return syscall(SYS_mkdirat, AT_FDCWD, to, folder_mode);
}
int rename(const char *from, const char *to) { return named('R', from, to, by_rename); }
int link(const char *from, const char *to) { return named('C', from, to, by_link); }
int linkat(int one, const char *from, int other, const char *to, int flags) {
  if (one != AT_FDCWD || other != AT_FDCWD || flags) return syscall(SYS_linkat, one, from, other, to, flags);
  return named('C', from, to, by_link);
}
int mkdir(const char *path, mode_t mode) {
  folder_mode = mode;
  return named('M', "", path, by_mkdir);
}
