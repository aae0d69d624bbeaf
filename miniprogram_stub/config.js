/* Where the server is: no slash at the end. A released mini-program needs https and a registered domain. */
module.exports = {
  server: 'http://127.0.0.1:8000',
};
