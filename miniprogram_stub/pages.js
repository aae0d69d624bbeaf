/* The pages that this mini-program has: those of app.json, which code cannot read. A test keeps the two equal. */
module.exports = [
  'pages/home/home',
  'pages/code/code',
  'pages/declare/declare',
  'pages/history/history',
  'pages/notices/notices',
  'pages/appeals/appeals',
  'pages/appeal/appeal',
  'pages/access/access',
  'pages/subscriptions/subscriptions',
  'pages/register/register',
  'pages/login/login',
  'pages/password/password',
  'pages/privacy/privacy',
  'pages/erase/erase',
  'pages/station/station',
  'pages/station-login/station-login',
];
