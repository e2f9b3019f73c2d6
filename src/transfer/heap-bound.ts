import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const megabyte = 1024 * 1024;
const mostBytes = 64 * megabyte;
const leastGarbage = 16 * megabyte;

/**
 * V8 lets garbage wait where other programs take the CPU that its collector would use, and no setting bounds that once it
 * runs. Whoever makes much of it and promised to stay small says so here, and asks now and then.
 *
 * @returns what collects the garbage of a heap that has grown large, and otherwise costs next to nothing
 */
export function heapBound(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let most = mostBytes;
  return () => {
    if (usedBytes() <= most) return;
    collect();
    most = Math.max(mostBytes, usedBytes() + leastGarbage); // what is in use can't be collected, however often
  };
}

function usedBytes(): number {
  return getHeapStatistics().used_heap_size;
}
