import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const prctl = libc.func('int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)') as (
  ...values: number[]
) => number;
const waitpid = libc.func('int waitpid(int pid, void *status, int options)') as (pid: number, status: null, options: number) => number;

const setChildSubreaper = 36;
const noHang = 1;

/** Orphans among this process's descendants become its children. */
export const becomeSubreaper = (): void => {
  prctl(setChildSubreaper, 1, 0, 0, 0);
};

/** Lets an ended child go. Does nothing for one that lives. */
export const collect = (pid: number): void => {
  waitpid(pid, null, noHang);
};
