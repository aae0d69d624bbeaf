"""The system on one machine, not for production: embedded servers, `jixiang run`, invented people, a demonstration."""
