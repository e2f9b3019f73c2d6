// What `localhost` is where there is IPv6 beside IPv4: two addresses. Loaded into a server (--import), where the machine may have one.
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';

const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));

const { lookup, promises } = dns;
const { lookup: lookupPromised } = promises;

dns.lookup = (name, options, answer) => {
  if (name !== 'localhost') return lookup(name, options, answer);
  const [{ address, family }] = addresses;
  if (typeof options === 'function') return options(null, address, family);
  return options.all ? answer(null, addresses) : answer(null, address, family);
};
promises.lookup = (name, options) => {
  if (name !== 'localhost') return lookupPromised(name, options);
  return Promise.resolve(options?.all ? addresses : addresses[0]);
};
syncBuiltinESMExports();
