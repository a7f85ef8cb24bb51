/** Clears up after each test file. */
import { afterAll } from 'vitest';
import { removeFolders } from './temporary-folders.js';

afterAll(removeFolders);
