import { serveBare } from './bare-http.js';
import { openPool, Store } from './store.js';

serveBare(new Store(openPool()));
