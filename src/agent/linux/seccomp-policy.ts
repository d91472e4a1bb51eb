/** What a sandbox may ask of the kernel: an allow-list that Node.js, Python and Java run on. Everything else answers EPERM. */

/** Linux's headers: AF_UNIX, AF_INET, AF_INET6, AF_NETLINK (getifaddrs needs it). No raw packets, no vsock. */
export const allowedSocketFamilies = [1, 2, 10, 16] as const;

/** CLONE_NEW* of clone(2): no new namespaces from inside. */
export const refusedCloneFlags = 0x7e02_0000n;

/** TIOCSTI of ioctl(2) puts characters into somebody's terminal. */
export const terminalInjection = 0x5412n;

/** Callers fall back to an older call when these do not exist; clone3's flags cannot be checked by a filter. */
export const unknownToOldKernels = ['clone3', 'io_uring_setup', 'io_uring_enter', 'io_uring_register'] as const;

const files = `
  access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64 fallocate fchdir fchmod
  fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstatfs fsync ftruncate
  futimesat getcwd getdents getdents64 getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch lchown lgetxattr link linkat
  listxattr llistxattr lremovexattr lseek lsetxattr lstat memfd_create mkdir mkdirat newfstatat open openat openat2 pipe pipe2 pread64
  preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv removexattr rename renameat renameat2 rmdir sendfile
  setxattr splice stat statfs statx symlink symlinkat sync sync_file_range syncfs tee truncate umask unlink unlinkat utime utimensat utimes
  vmsplice write writev`;

const waiting = `
  epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 futex futex_wait futex_waitv futex_wake
  futex_requeue get_robust_list set_robust_list poll ppoll pselect6 select nanosleep clock_nanosleep pause signalfd signalfd4
  timerfd_create timerfd_gettime timerfd_settime timer_create timer_delete timer_getoverrun timer_gettime timer_settime restart_syscall
  alarm getitimer setitimer`;

const memory = `
  brk madvise mincore mlock mlock2 mlockall mmap mprotect mremap msync munlock munlockall munmap membarrier pkey_alloc pkey_free
  pkey_mprotect get_mempolicy set_mempolicy mbind shmat shmctl shmdt shmget`;

const processes = `
  arch_prctl execve execveat exit exit_group fork vfork getcpu getegid geteuid getgid getgroups getpgid getpgrp getpid getppid
  getpriority getresgid getresuid getrlimit getrusage getsid gettid getuid kill pidfd_open pidfd_send_signal prctl prlimit64 rseq
  rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo
  sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
  sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield set_tid_address set_thread_area get_thread_area setfsgid
  setfsuid setgid setgroups setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid sigaltstack tgkill tkill
  times uname wait4 waitid waitpid capget capset sysinfo getrandom ioprio_get ioprio_set`;

const clocks = 'clock_getres clock_gettime gettimeofday time';

const sockets = `
  accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg sendmsg sendto setsockopt
  shutdown socketpair`;

const semaphores =
  'semctl semget semop semtimedop msgctl msgget msgrcv msgsnd mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr';

/** `socket`, `clone` and `ioctl` are allowed too, with conditions on their arguments. */
export const allowedCalls: readonly string[] = [files, waiting, memory, processes, clocks, sockets, semaphores].flatMap((names) =>
  names.trim().split(/\s+/),
);
