export default { skipTrailingSlashRedirect: true }; // tokenpair's paths may end with a slash
