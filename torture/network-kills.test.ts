/** A kill -9 of the agent at any moment leaves nothing of the network behind, a hundred times. */
import { test } from 'node:test';
import { killAgents } from '../test/network/agent-kills.ts';

test('100 kills of the agent: functions keep their way out, and the host is as before', { timeout: 600_000 }, () => killAgents(100));
