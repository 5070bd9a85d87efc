/**
 * Patterns of topics: `rooms/*`.
 *
 * @module
 */

/**
 * Returns a function that tests topics. In the pattern, `*` stands for any characters, or none. The time
 * is at most the length of the topic times that of the pattern: nothing is tried twice.
 */
export function topicMatcher(pattern: string): (topic: string) => boolean {
  const [first = "", ...others] = pattern.split("*");
  const last = others.pop();
  if (last === undefined) return (topic) => topic === first;
  return (topic) => {
    if (!topic.startsWith(first)) return false;
    let at = first.length;
    for (const part of others) {
      // The first place is the best one: it leaves most for the parts that follow.
      const found = topic.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return topic.length - at >= last.length && topic.endsWith(last);
  };
}
