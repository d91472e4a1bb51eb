/** For a `catch`: what stands for a file or folder that is not there. @throws every other error, since it hides what is there */
export function ifAbsent<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return value;
    throw error;
  };
}
