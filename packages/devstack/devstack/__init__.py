"""The system on one machine, for developers: embedded servers, `jixiang-dev run`, invented people, demonstrations."""
