// One process for all of them: they share the browser and the services.
import './looking.mjs';
import './acting.mjs';
import './trouble.mjs';
import './strangers.mjs';
import './everybody.mjs';
import './agreement.mjs';
import './states.mjs';
