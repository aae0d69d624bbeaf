/* The brightness of the screen while a code is shown: full, at which scanners read best, and afterwards as it was. */
const FULL = 1;

function brighten(target) {
  wx.setKeepScreenOn({ keepScreenOn: true });
  wx.getScreenBrightness({
    success: ({ value }) => {
      target.brightness = value;
      wx.setScreenBrightness({ value: FULL });
    },
  });
}

function dim(target) {
  wx.setKeepScreenOn({ keepScreenOn: false });
  if (target.brightness !== undefined) wx.setScreenBrightness({ value: target.brightness });
}

module.exports = { brighten, dim };
