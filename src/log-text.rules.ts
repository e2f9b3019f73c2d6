/** What a line of the log may not hold. Each of these works on a whole line, which is JSON: all that they find lies in texts. */

/**
 * Characters that JSON lets through, and that a terminal or an editor takes for a line break or a control, or that turn
 * the direction of writing: a caller could make a line look like another one.
 */
export function escapeInvisible(line: string): string {
  return line.replace(
    /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|(?:(?<![\ud800-\udbff])[\udc00-\udfff])|(?:[\ud800-\udbff](?![\udc00-\udfff]))/g,
    escaped,
  );
}

/** For a reader who undoes JSON's escapes: those of controls are escaped once more, and so stay visible. */
export function escapeAll(line: string): string {
  return escapeInvisible(line).replace(/\\(?:[bfnrt]|u[0-9a-f]{4}|["\\/])/gi, (escape) =>
    /^\\["\\/]/.test(escape) ? escape : `\\${escape}`,
  );
}

/** A text of a command's, which is no JSON, for standard error: it may repeat what was typed, or what a server said. */
export function escapeForPeople(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are what must not come through; line breaks are the command's own
  return escapeInvisible(withoutSecrets(text)).replace(/[\u0000-\u0009\u000b-\u001f]/g, escaped);
}

/** Passwords in addresses of databases, tokens, and headers that carry them. */
export function withoutSecrets(line: string): string {
  return line
    .replace(/\b(\w[\w+.-]*:\/\/[^\s:/@"]*):[^\s"]+@/g, '$1:***@') // to the last @: one in a password may stand as it is
    .replace(/([?&](?:ssl)?password=)[^\s&"]+/gi, '$1***')
    .replace(/\bscst_[\w-]+/g, 'scst_***')
    .replace(/\b(bearer|basic)\s+[\w.~+/=-]{12,}/gi, '$1 ***');
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
