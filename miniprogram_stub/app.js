/* The application has no state of its own: the session is kept by utils/request.js, all else by the server. */
App({});
