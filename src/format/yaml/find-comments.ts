/**
 * Where the comments of a YAML text are, by the `yaml` package's lexer. Needed only where text has
 * to be written anew that may hold some: a comment may lose its place there, but never its text.
 */
import { Lexer } from 'yaml';

/** A comment and where it begins. */
export interface FoundComment {
  readonly start: number;
  readonly text: string;
}

/** What the lexer puts before a scalar's text, which may begin like a comment. */
const SCALAR_MARK = '\x1f';
/** Its other marks, which stand for no text. */
const MARKS = new Set(['\x02', '\x18', SCALAR_MARK]);

/** All comments of a text, in order. */
export function commentsIn(text: string): FoundComment[] {
  const comments: FoundComment[] = [];
  let at = 0;
  let before = '';
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme.startsWith('#') && before !== SCALAR_MARK)
      comments.push({ start: at, text: lexeme });
    if (!MARKS.has(lexeme)) at += lexeme.length;
    before = lexeme;
  }
  return comments;
}
