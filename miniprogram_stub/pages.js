/* The pages that this mini-program has: those of app.json, which code cannot read. A test keeps the two equal. */
module.exports = [
  'pages/home/home',
  'pages/code/code',
  'pages/declare/declare',
  'pages/register/register',
  'pages/login/login',
];
