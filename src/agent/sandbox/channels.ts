/** The two ways out of a sandbox: the socket it listens on, and the pipe that its output goes to. */
import { chmodSync, chownSync, closeSync, constants, openSync } from 'node:fs';
import { closeFd, listenUnix, makeFifo } from '../linux/libc.ts';
import { fifoName, socketName } from './sandbox-driver.ts';

const backlog = 128;

export interface Channels {
  readonly socket: number;
  readonly output: number;
  /** Closes this process's ends; those of a started child stay open. */
  close(): void;
}

/**
 * Makes both in a slot's folder, open to the other roles by their group.
 * The pipe is opened for reading and writing, so that it outlives a relay that is away: writers do not fail, they wait when it is full.
 */
export function makeChannels(folder: string, group: number | undefined): Channels {
  const socketPath = `${folder}/${socketName}`;
  const fifoPath = `${folder}/${fifoName}`;
  const socket = listenUnix(socketPath, backlog);
  try {
    makeFifo(fifoPath, 0o640);
    const output = openSync(fifoPath, constants.O_RDWR);
    if (group !== undefined) {
      chownSync(socketPath, -1, group);
      chownSync(fifoPath, -1, group);
    }
    chmodSync(socketPath, group === undefined ? 0o600 : 0o660);
    return {
      socket,
      output,
      close() {
        closeFd(socket);
        closeSync(output);
      },
    };
  } catch (error) {
    closeFd(socket);
    throw error;
  }
}
