// Switches Nagle's delay off for every TCP socket: a message of a few bytes
// leaves at once instead of waiting up to 40 ms for an acknowledgement.
'use strict';
const net = require('node:net');
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  this.once('connect', () => this.setNoDelay(true));
  return connect.apply(this, args);
};
